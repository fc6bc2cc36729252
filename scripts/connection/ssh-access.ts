/** How SSH connections are opened: which keys we show, and which keys of hosts we believe. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'

/**
 * `identities` are private key files, in the order in which they are tried; `agent` the agent's socket. The first of `knownHosts` is
 * the one that a key is added to when `isNewAccepted` (StrictHostKeyChecking=accept-new); otherwise an unknown key is refused.
 */
export type SshAccess = Readonly<{
  identities: readonly string[]
  agent: string | undefined
  knownHosts: readonly [string, ...string[]]
  isNewAccepted: boolean
}>

const USUAL_IDENTITIES = ['id_ed25519', 'id_ecdsa', 'id_rsa'] as const

/** From `--identity`, `--known-hosts` and `--accept-new-host-key`; where they are not given, what ssh(1) takes by default. */
export function readSshAccess(invocation: Invocation): SshAccess {
  const folder = join(invocation.environment['HOME'] ?? '/root', '.ssh')
  const identity = textOption(invocation, 'identity')
  const knownHosts = textOption(invocation, 'known-hosts')
  const absolute = (path: string) => resolve(invocation.workingFolder, path)
  return {
    identities:
      identity === undefined
        ? USUAL_IDENTITIES.map((name) => join(folder, name)).filter((path) => existsSync(path))
        : [absolute(identity)],
    agent: identity === undefined ? invocation.environment['SSH_AUTH_SOCK'] : undefined,
    knownHosts:
      knownHosts === undefined ? [join(folder, 'known_hosts'), '/etc/ssh/ssh_known_hosts'] : [absolute(knownHosts)],
    isNewAccepted: isGiven(invocation, 'accept-new-host-key'),
  }
}
