/** Runs commands on a remote host over one SSH connection: host keys are always verified, a dead peer is detected, small packets are not delayed. */
import { connect as connectSocket, type Socket } from 'node:net'
import { constants } from 'node:os'
import { type Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { AnyAuthMethod, ClientChannel, ServerHostKeyAlgorithm, Client as SshClient } from 'ssh2'
import { HOST_ENVIRONMENT } from '../connection/batch.ts'
import { createCommandRunner, type StartedCommand, underTimeout } from '../connection/command-run.ts'
import type { HostAddress } from '../connection/host-address.ts'
import { createHostKeyCheck } from '../connection/host-key-check.ts'
import { connected, relayArgv } from '../connection/relay.ts'
import { type SshAccess, sshCommand } from '../connection/ssh-access.ts'
import { explainSshError, permissionDenied, type SshError, unreachable } from '../connection/ssh-failure.ts'
import { type Identities, readIdentities } from '../connection/ssh-identity.ts'
import { Client } from '../connection/ssh-library.ts'
import { asRoot } from '../connection/sudo.ts'
import type { Failure } from '../core/failure.ts'
import type { Command, Connection } from '../core/host.ts'
import { quoteAll } from '../core/quoting.ts'

/** Timeouts: of the login, and afterwards the number of keepalives without reply, one each interval. */
export type SshTimeouts = Readonly<{ readyTimeoutMs: number; keepaliveIntervalMs: number; keepaliveCountMax: number }>

/** A dead peer is detected after 30 s. */
const DEFAULT_TIMEOUTS: SshTimeouts = { readyTimeoutMs: 20_000, keepaliveIntervalMs: 10_000, keepaliveCountMax: 3 }

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

async function openClient(
  address: HostAddress,
  access: SshAccess,
  identities: Identities,
  timeouts: SshTimeouts,
  signal: AbortSignal,
): Promise<SshClient> {
  const { types, check } = createHostKeyCheck(address, access)
  const authHandler = methodsFor(address, access, identities)
  if (authHandler.length === 0) throw permissionDenied(address, access, identities)
  const sock = await openSocket(address, timeouts, signal)
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
      sock,
      username: address.user,
      authHandler,
      readyTimeout: timeouts.readyTimeoutMs,
      keepaliveInterval: timeouts.keepaliveIntervalMs,
      keepaliveCountMax: timeouts.keepaliveCountMax,
      algorithms: { serverHostKey: algorithmsFor(types) },
      hostVerifier: (blob: Buffer) => {
        hostKeyFailure = check(blob)
        return hostKeyFailure === undefined
      },
    })
  })
}

async function feed(channel: ClientChannel, { stdin }: Command): Promise<void> {
  if (stdin === undefined || typeof stdin === 'string' || stdin instanceof Uint8Array) {
    channel.end(stdin === undefined || stdin.length === 0 ? undefined : stdin)
    return
  }
  // A command may end without reading all of its input; its exit code tells whether that is an error.
  await pipeline(Readable.from(stdin.open()), channel.stdin ?? channel).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'ERR_STREAM_WRITE_AFTER_END') throw error
  })
}

function codeOf(code: number | null, signal: string | undefined): number {
  // RFC 4254 names signals without SIG; ssh2 adds it.
  return code ?? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0)
}

/** `lost` is why there is no connection any more; `subscribe` tells it to those that wait, and returns what takes that back. */
type Disconnection = Readonly<{
  lost: () => Failure | undefined
  subscribe: (reject: (reason: Failure) => void) => () => void
}>

/** Starts commands over a connection. */
function startOn(client: SshClient, explainError: (error: SshError) => Failure, disconnection: Disconnection) {
  const environment = Object.entries(HOST_ENVIRONMENT).map(([name, value]) => `${name}=${value}`)
  return (command: Command): Promise<StartedCommand> =>
    new Promise((resolve, reject) => {
      const lost = disconnection.lost()
      if (lost !== undefined) return reject(lost)
      const ended = Promise.withResolvers<number>()
      // Before the command is started nobody waits for its end.
      ended.promise.catch(reject)
      const unsubscribe = disconnection.subscribe(ended.reject)
      client.exec(quoteAll(['env', ...environment, ...command.argv]), (error, channel) => {
        if (error !== undefined) {
          unsubscribe()
          reject(explainError(error))
          return
        }
        let code: number | undefined
        channel.on('exit', (number: number | null, signal?: string) => {
          code = codeOf(number, signal)
        })
        channel.on('close', () => {
          if (code === undefined) return // the connection was lost; `ended` is rejected
          unsubscribe()
          ended.resolve(code)
        })
        const giveUp = () => {
          unsubscribe()
          channel.close()
        }
        feed(channel, command).catch((reason) => {
          channel.close()
          ended.reject(reason)
        })
        resolve({ stdout: channel, stderr: channel.stderr, ended: ended.promise, giveUp })
      })
    })
}

const DIAL_TIMEOUT_MS = 15_000

/** From the host to another one, by a command there: also where its sshd forwards nothing. */
function dialOver(client: SshClient) {
  return (host: string, port: number): Promise<Duplex> =>
    new Promise((resolve, reject) => {
      client.exec(quoteAll(relayArgv(host, port)), (error, channel) => {
        if (error !== undefined) reject(error)
        else connected(channel, channel.stderr, DIAL_TIMEOUT_MS).then(resolve, reject)
      })
    })
}

/**
 * Connects and verifies the host key. Accounts other than root use sudo. Throws a `Failure` (exit 6) now, and from any command when the
 * connection is lost. `interrupt` ends the attempt to connect.
 */
export async function connectSsh(
  address: HostAddress,
  access: SshAccess,
  askPassword?: () => Promise<string>,
  timeouts: SshTimeouts = DEFAULT_TIMEOUTS,
  interrupt?: AbortSignal,
): Promise<Connection> {
  const identities = readIdentities(access)
  const attempt = new AbortController()
  const abort = () => attempt.abort()
  interrupt?.addEventListener('abort', abort, { once: true })
  const client = await openClient(address, access, identities, timeouts, attempt.signal).finally(() =>
    interrupt?.removeEventListener('abort', abort),
  )
  const waiting = new Set<(reason: Failure) => void>()
  let disconnected: Failure | undefined
  const disconnect = (failure: Failure) => {
    disconnected ??= failure
    for (const reject of waiting) reject(disconnected)
    waiting.clear()
  }
  client.removeAllListeners('close')
  const explainError = (error: SshError) => explainSshError(address, access, identities, error)
  client.on('error', (error: SshError) => disconnect(explainError(error)))
  client.on('close', () =>
    disconnect(
      unreachable(address, 'the connection was lost', 'run the same command again: it continues where it stopped'),
    ),
  )
  const subscribe = (reject: (reason: Failure) => void) => {
    waiting.add(reject)
    return () => waiting.delete(reject)
  }
  const start = startOn(client, explainError, { lost: () => disconnected, subscribe })
  const { run, endReads } = createCommandRunner(start)
  const close = async () => {
    client.end()
  }
  return {
    runAsUser: underTimeout(run),
    run: underTimeout(address.user === 'root' ? run : asRoot(run, askPassword)),
    endReads,
    dial: dialOver(client),
    close,
  }
}
