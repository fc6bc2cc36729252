/** How commands connect to hosts: to this machine directly, to others over SSH. */
import { randomBytes } from 'node:crypto'
import type { Connectors } from '../session/target-connection.ts'

/** Those of every command. What only the other one needs is not loaded: an SSH library, or one for processes. */
export const connectors: Connectors = {
  local: async (askPassword) => (await import('./local.ts')).connectLocal(process.getuid?.() === 0, askPassword),
  ssh: async (address, access, askPassword, interrupt) =>
    (await import('./ssh.ts')).connectSsh(address, access, askPassword, undefined, interrupt),
  nonce: () => randomBytes(16).toString('hex'),
}
