/** How commands connect to hosts: to this machine directly, to others over SSH. */
import { randomBytes } from 'node:crypto'
import type { Connectors } from '../session/target-connection.ts'
import { connectLocal } from './local.ts'

/** Those of every command. SSH is loaded only when a host is reached over it. */
export const connectors: Connectors = {
  local: async (askPassword) => connectLocal(process.getuid?.() === 0, askPassword),
  ssh: async (address, access, askPassword, interrupt) =>
    (await import('./ssh.ts')).connectSsh(address, access, askPassword, undefined, interrupt),
  nonce: () => randomBytes(16).toString('hex'),
}
