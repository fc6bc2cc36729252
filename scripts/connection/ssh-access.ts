/** Options of SSH connections: the keys to offer, and the known_hosts files that host keys are verified against. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { quoteAll } from '../core/quoting.ts'
import type { HostAddress } from './host-address.ts'
import type { SshSettings } from './ssh-config.ts'

/**
 * `identities` are private key files in the order in which they are offered; `agent` is the agent's socket. With `shouldAcceptNewKey`
 * (StrictHostKeyChecking=accept-new) an unknown key is added to the first of `knownHosts`; otherwise it is rejected. Of keys that nobody has
 * named (`isUsual`) one that can't be read, such as one with a passphrase, is passed over: the agent may hold it.
 */
export type SshAccess = Readonly<{
  identities: readonly string[]
  isUsual: boolean
  agent: string | undefined
  knownHosts: readonly [string, ...string[]]
  shouldAcceptNewKey: boolean
}>

const DEFAULT_IDENTITIES = ['id_ed25519', 'id_ecdsa', 'id_rsa'] as const

/** Reads `--identity`, `--known-hosts` and `--accept-new-host-key`; then what ssh's configuration says of the host, then the defaults of ssh(1). */
export function readSshAccess(invocation: Invocation, configured?: SshSettings): SshAccess {
  const folder = join(invocation.environment['HOME'] ?? '/root', '.ssh')
  const identity = textOption(invocation, 'identity')
  const knownHosts = textOption(invocation, 'known-hosts')
  const absolute = (path: string) => resolve(invocation.workingFolder, path)
  const isConfigured = configured !== undefined && configured.identities.length > 0
  const usual = isConfigured ? configured.identities : DEFAULT_IDENTITIES.map((name) => join(folder, name))
  const isAgentUsed = identity === undefined && configured?.isAgentUsed !== false
  return {
    identities: identity === undefined ? usual.filter((path) => existsSync(path)) : [absolute(identity)],
    isUsual: identity === undefined,
    agent: isAgentUsed ? invocation.environment['SSH_AUTH_SOCK'] : undefined,
    knownHosts:
      knownHosts === undefined ? [join(folder, 'known_hosts'), '/etc/ssh/ssh_known_hosts'] : [absolute(knownHosts)],
    shouldAcceptNewKey: isGiven(invocation, 'accept-new-host-key'),
  }
}

/** Returns a command line of OpenSSH for a host, for error messages. */
export function sshCommand({ user, name, port }: HostAddress, program = 'ssh'): string {
  return quoteAll([program, ...(port === 22 ? [] : ['-p', String(port)]), `${user}@${name}`])
}
