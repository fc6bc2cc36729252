/** A login over SSH: host keys are always verified, a dead peer is detected, small packets are not delayed; through jump hosts and proxy commands, too. */
import { connect as connectSocket, type Socket } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import type { AnyAuthMethod, ServerHostKeyAlgorithm, Client as SshClient } from 'ssh2'
import { Failure } from '../core/failure.ts'
import { type HostAddress, renderHostAddress } from './host-address.ts'
import { CERTIFICATE_ALGORITHMS } from './host-certificate.ts'
import { createHostKeyCheck } from './host-key-check.ts'
import { openProxyCommand } from './proxy-command.ts'
import { type SshAccess, type SshRoute, sshCommand } from './ssh-access.ts'
import { explainSshError, permissionDenied, type SshError, unreachable } from './ssh-failure.ts'
import { type Identities, readIdentities } from './ssh-identity.ts'
import { askFor, Client } from './ssh-library.ts'

/** Timeouts: of the login, and afterwards the number of keepalives without reply, one each interval. */
export type SshTimeouts = Readonly<{ readyTimeoutMs: number; keepaliveIntervalMs: number; keepaliveCountMax: number }>

/** A dead peer is detected after 30 s. */
export const DEFAULT_TIMEOUTS: SshTimeouts = {
  readyTimeoutMs: 20_000,
  keepaliveIntervalMs: 10_000,
  keepaliveCountMax: 3,
}

/** In ssh2's order; types in known_hosts go first, so that a host with several keys offers one that can be verified. */
const HOST_KEY_ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]

function algorithmsFor(types: readonly string[]): ServerHostKeyAlgorithm[] {
  const isKnown = (name: string) => types.includes(name.startsWith('rsa-') ? 'ssh-rsa' : name)
  return [...HOST_KEY_ALGORITHMS].sort((a, b) => Number(isKnown(b)) - Number(isKnown(a)))
}

function methodsFor({ user: username }: HostAddress, { agent }: SshAccess, { keys }: Identities): AnyAuthMethod[] {
  return [
    ...(agent === undefined ? [] : [{ type: 'agent', username, agent } as const]),
    ...keys.map(({ key }) => ({ type: 'publickey', username, key }) as const),
  ]
}

function openSocket(
  address: HostAddress,
  { readyTimeoutMs: timeout }: SshTimeouts,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: address.name, port: address.port, noDelay: true, timeout, signal })
    const fail = (why: string, cause?: unknown) => {
      socket.destroy()
      reject(unreachable(address, why, `check the address, and that sshd is running: ${sshCommand(address)}`, cause))
    }
    socket.once('error', (error) => fail(error.message, error))
    socket.once('timeout', () => fail(`no response within ${timeout / 1000} s`))
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.removeAllListeners('error').removeAllListeners('timeout')
      resolve(socket)
    })
  })
}

type Jump = Extract<SshRoute, { kind: 'jump' }>

/** A connection to a jump host, for all hosts behind it: its sshd would refuse many at once that log in. */
type SharedClient = { client: Promise<SshClient>; users: number }
const jumpClients = new Map<string, SharedClient>()

async function withJump<T>(
  { address, access }: Jump,
  timeouts: SshTimeouts,
  signal: AbortSignal,
  use: (client: SshClient, release: () => void) => Promise<T>,
): Promise<T> {
  const key = JSON.stringify([address, access])
  const known = jumpClients.get(key)
  const shared = known ?? { client: openClient(address, access, readIdentities(access), timeouts, signal), users: 0 }
  jumpClients.set(key, shared)
  shared.users++
  const forget = () => {
    if (jumpClients.get(key) === shared) jumpClients.delete(key)
  }
  let isReleased = false
  const release = () => {
    if (isReleased) return
    isReleased = true
    if (--shared.users > 0) return
    forget()
    shared.client.then((client) => client.end()).catch(() => undefined)
  }
  try {
    const client = await shared.client
    client.once('close', forget)
    return await use(client, release)
  } catch (error) {
    release()
    throw error
  }
}

/** Returns a stream from the jump host to the host. */
function openThroughJump(
  address: HostAddress,
  jump: Jump,
  timeouts: SshTimeouts,
  signal: AbortSignal,
): Promise<Duplex> {
  const label = renderHostAddress(jump.address)
  const open = (client: SshClient, release: () => void) =>
    new Promise<Duplex>((resolve, reject) => {
      const refuse = (why: string, cause?: unknown) => {
        const next = `check that ${label} reaches it and forwards TCP (AllowTcpForwarding): ${sshCommand(jump.address)}`
        reject(unreachable(address, `its jump host ${label} says: ${why}`, next, cause))
      }
      const timer = setTimeout(() => refuse('nothing'), timeouts.readyTimeoutMs)
      client.forwardOut('127.0.0.1', 0, address.name, address.port, (error, channel) => {
        clearTimeout(timer)
        if (error !== undefined) return refuse(error.message.replace(/^\(SSH\) Channel open failure: /, ''), error)
        channel.once('close', release)
        resolve(channel)
      })
    })
  return withJump(jump, timeouts, signal, open).catch((error) => {
    if (!(error instanceof Failure) || error.text.what.endsWith(renderHostAddress(address))) throw error
    const { where = `${label} is the jump host of ${renderHostAddress(address)}` } = error.text
    throw new Failure({ ...error.text, where }, error.code, error)
  })
}

async function openStream(
  address: HostAddress,
  { route }: SshAccess,
  timeouts: SshTimeouts,
  signal: AbortSignal,
): Promise<Duplex> {
  if (route === undefined) return await openSocket(address, timeouts, signal)
  if (route.kind === 'jump') return await openThroughJump(address, route, timeouts, signal)
  return openProxyCommand(route, address)
}

/**
 * Asks the server for its certificate, and goes away before a key is agreed on: a certificate proves itself, and that its key is the server's is proven by the
 * login that follows. Undefined where the server has none.
 */
async function fetchCertificate(
  address: HostAddress,
  access: SshAccess,
  timeouts: SshTimeouts,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  askFor(CERTIFICATE_ALGORITHMS)
  const sock = await openStream(address, access, timeouts, signal)
  const client = new Client()
  let certificate: Buffer | undefined
  return (await new Promise((resolve) => {
    client.on('error', () => resolve(certificate))
    client.once('close', () => resolve(certificate))
    client.connect({
      sock: sock as Readable,
      username: address.user,
      readyTimeout: timeouts.readyTimeoutMs,
      algorithms: { serverHostKey: [...CERTIFICATE_ALGORITHMS] as unknown as ServerHostKeyAlgorithm[] },
      hostVerifier: (blob: Buffer) => {
        certificate = Buffer.from(blob)
        return false
      },
    })
  }).finally(() => client.destroy())) as Buffer | undefined
}

/**
 * Logs in on a host, through its jump hosts where it has some, and verifies the host key of each. Throws a `Failure` (exit 6), and for a jump host one that
 * says so. `signal` ends the attempt.
 */
export async function openClient(
  address: HostAddress,
  access: SshAccess,
  identities: Identities,
  timeouts: SshTimeouts,
  signal: AbortSignal,
): Promise<SshClient> {
  const { types, hasAuthority, certify, check } = createHostKeyCheck(address, access)
  const authHandler = methodsFor(address, access, identities)
  if (authHandler.length === 0) throw permissionDenied(address, access, identities)
  if (hasAuthority) certify(await fetchCertificate(address, access, timeouts, signal))
  const sock = await openStream(address, access, timeouts, signal)
  const client = new Client()
  let hostKeyFailure: Failure | undefined
  return await new Promise((resolve, reject) => {
    client.once('ready', () => resolve(client))
    // The listener stays: ssh2 emits some errors twice, and an unhandled one would end the process.
    client.on('error', (error: SshError) =>
      reject(hostKeyFailure ?? explainSshError(address, access, identities, error)),
    )
    client.once('close', () =>
      reject(
        hostKeyFailure ??
          unreachable(
            address,
            'the server closed the connection during the login',
            'journalctl -u ssh -e   (on the host)',
          ),
      ),
    )
    client.connect({
      // A stream that is connected is one to ssh2, whatever it goes through.
      sock: sock as Readable,
      username: address.user,
      authHandler,
      readyTimeout: timeouts.readyTimeoutMs,
      keepaliveInterval: timeouts.keepaliveIntervalMs,
      keepaliveCountMax: timeouts.keepaliveCountMax,
      algorithms: { serverHostKey: algorithmsFor(types()) },
      hostVerifier: (blob: Buffer) => {
        hostKeyFailure = check(blob)
        return hostKeyFailure === undefined
      },
    })
  })
}
