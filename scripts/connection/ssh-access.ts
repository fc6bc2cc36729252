/** Options of SSH connections: the keys to offer, and the known_hosts files that host keys are verified against. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { quoteAll } from '../core/quoting.ts'
import type { HostAddress } from './host-address.ts'
import type { SshSettings, SshVia } from './ssh-config.ts'

/** The way to a host that is not reached directly: through another host, or by a command. `typedName` is the name of the host as it was typed. */
export type SshRoute =
  | Readonly<{ kind: 'jump'; address: HostAddress; access: SshAccess }>
  | Readonly<{ kind: 'command'; command: string; typedName: string }>

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
  /** Whether a certificate is valid depends on it. */
  nowMs: () => number
  route?: SshRoute
}>

const DEFAULT_IDENTITIES = ['id_ed25519', 'id_ecdsa', 'id_rsa'] as const

type Keys = Pick<SshAccess, 'identities' | 'isUsual' | 'agent'>

function keysOf(
  { environment, workingFolder }: Invocation,
  identity: string | undefined,
  configured: SshSettings | undefined,
): Keys {
  if (identity !== undefined)
    return { identities: [resolve(workingFolder, identity)], isUsual: false, agent: undefined }
  const isConfigured = configured !== undefined && configured.identities.length > 0
  const folder = join(environment['HOME'] ?? '/root', '.ssh')
  const usual = isConfigured ? configured.identities : DEFAULT_IDENTITIES.map((name) => join(folder, name))
  return {
    identities: usual.filter((path) => existsSync(path)),
    isUsual: true,
    agent: configured?.isAgentUsed === false ? undefined : environment['SSH_AUTH_SOCK'],
  }
}

/** To a jump host its own keys are offered, and those of the agent; before them `--identity`, which is one for the hosts, where its configuration names none. */
function keysOfJump(invocation: Invocation, settings: SshSettings): Keys {
  const keys = keysOf(invocation, undefined, settings)
  const identity = settings.identities.length > 0 ? undefined : textOption(invocation, 'identity')
  if (identity === undefined) return keys
  return { ...keys, identities: [resolve(invocation.workingFolder, identity), ...keys.identities] }
}

function accessOf(invocation: Invocation, keys: Keys, configured: SshSettings | undefined): SshAccess {
  const { environment, workingFolder } = invocation
  const folder = join(environment['HOME'] ?? '/root', '.ssh')
  const knownHosts = textOption(invocation, 'known-hosts')
  return {
    ...keys,
    knownHosts:
      knownHosts === undefined
        ? [join(folder, 'known_hosts'), '/etc/ssh/ssh_known_hosts']
        : [resolve(workingFolder, knownHosts)],
    shouldAcceptNewKey: isGiven(invocation, 'accept-new-host-key'),
    nowMs: invocation.nowMs,
    ...(configured?.via === undefined ? {} : { route: routeOf(invocation, configured.via) }),
  }
}

function routeOf(invocation: Invocation, via: SshVia): SshRoute {
  if (via.kind === 'command') return via
  const { address, settings } = via
  return { kind: 'jump', address, access: accessOf(invocation, keysOfJump(invocation, settings), settings) }
}

/** Reads `--identity`, `--known-hosts` and `--accept-new-host-key`; then what ssh's configuration says of the host, then the defaults of ssh(1). */
export function readSshAccess(invocation: Invocation, configured?: SshSettings): SshAccess {
  return accessOf(invocation, keysOf(invocation, textOption(invocation, 'identity'), configured), configured)
}

/** Returns a command line of OpenSSH for a host, for error messages. */
export function sshCommand({ user, name, port }: HostAddress, program = 'ssh'): string {
  return quoteAll([program, ...(port === 22 ? [] : ['-p', String(port)]), `${user}@${name}`])
}
