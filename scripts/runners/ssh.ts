/** Runs commands on a remote host over one SSH connection: host keys are always verified, a dead peer is detected, small packets are not delayed. */
import { connect as connectSocket, type Socket } from 'node:net'
import { constants } from 'node:os'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import ssh2, { type AnyAuthMethod, type Client, type ClientChannel, type ServerHostKeyAlgorithm } from 'ssh2'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { HOST_ENVIRONMENT } from '../connection/batch.ts'
import { type HostAddress, renderHostAddress } from '../connection/host-address.ts'
import { createHostKeyCheck } from '../connection/host-key-check.ts'
import { splitLines } from '../connection/line-splitter.ts'
import { type SshAccess, sshCommand } from '../connection/ssh-access.ts'
import { type Identities, readIdentities } from '../connection/ssh-identity.ts'
import { asRoot } from '../connection/sudo.ts'
import { Failure } from '../core/failure.ts'
import type { Command, Connection, Output, Runner } from '../core/host.ts'
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

function unreachable(address: HostAddress, why: string, next: string, cause?: unknown): Failure {
  return new Failure(
    { what: `cannot connect to ${renderHostAddress(address)}`, why, next },
    EXIT_CODE.unreachable,
    cause,
  )
}

function methodsFor({ user: username }: HostAddress, { agent }: SshAccess, { keys }: Identities): AnyAuthMethod[] {
  return [
    ...(agent === undefined ? [] : [{ type: 'agent', username, agent } as const]),
    ...keys.map(({ key }) => ({ type: 'publickey', username, key }) as const),
  ]
}

function openSocket(address: HostAddress, { readyTimeoutMs }: SshTimeouts): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: address.name, port: address.port, noDelay: true, timeout: readyTimeoutMs })
    const fail = (why: string, cause?: unknown) => {
      socket.destroy()
      reject(unreachable(address, why, `check the address, and that sshd is running: ${sshCommand(address)}`, cause))
    }
    socket.once('error', (error) => fail(error.message, error))
    socket.once('timeout', () => fail(`no response within ${readyTimeoutMs / 1000} s`))
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.removeAllListeners('error').removeAllListeners('timeout')
      resolve(socket)
    })
  })
}

type SshError = Error & Readonly<{ level?: string }>

function permissionDenied(
  address: HostAddress,
  { agent }: SshAccess,
  { keys, passedOver }: Identities,
  cause?: unknown,
): Failure {
  const offered = [...(agent === undefined ? [] : ['the keys of the SSH agent']), ...keys.map(({ path }) => path)]
  const others = passedOver.map(({ text }) => `; ${text.what}: ${text.why}`).join('')
  const why = `permission denied (publickey): ${offered.length === 0 ? 'no SSH key to offer' : `offered ${offered.join(', ')}`}${others}`
  const copy = `${sshCommand(address, 'ssh-copy-id')}, or add --identity FILE`
  const locked = passedOver[0]?.text.next
  const next =
    locked !== undefined ? `${locked}; or ${copy}` : offered.length === 0 ? `ssh-keygen -t ed25519, then ${copy}` : copy
  return unreachable(address, why, next, cause)
}

function explain(address: HostAddress, access: SshAccess, identities: Identities, error: SshError): Failure {
  return error.level === 'client-authentication'
    ? permissionDenied(address, access, identities, error)
    : unreachable(
        address,
        error.message,
        `check the host (${sshCommand(address)}), then run the same command again`,
        error,
      )
}

async function openClient(
  address: HostAddress,
  access: SshAccess,
  identities: Identities,
  timeouts: SshTimeouts,
): Promise<Client> {
  const { types, check } = createHostKeyCheck(address, access)
  const authHandler = methodsFor(address, access, identities)
  if (authHandler.length === 0) throw permissionDenied(address, access, identities)
  const sock = await openSocket(address, timeouts)
  const client = new ssh2.Client()
  let hostKeyFailure: Failure | undefined
  return await new Promise((resolve, reject) => {
    client.once('ready', () => resolve(client))
    // The listener stays: ssh2 emits some errors twice, and an unhandled one would end the process.
    client.on('error', (error: SshError) => reject(hostKeyFailure ?? explain(address, access, identities, error)))
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

function collect(stream: NodeJS.ReadableStream, onLine: ((line: string) => void) | undefined): Buffer[] {
  const chunks: Buffer[] = []
  const lines = onLine === undefined ? undefined : splitLines(onLine)
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    lines?.write(chunk)
  })
  stream.on('end', () => lines?.end())
  return chunks
}

function codeOf(code: number | null, signal: string | undefined): number {
  // RFC 4254 names signals without SIG; ssh2 adds it.
  return code ?? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0)
}

function runOn(
  client: Client,
  explainError: (error: SshError) => Failure,
  onDisconnect: (reject: (reason: Failure) => void) => () => void,
): Runner {
  const environment = Object.entries(HOST_ENVIRONMENT).map(([name, value]) => `${name}=${value}`)
  return (command, onLine) =>
    new Promise<Output>((resolve, reject) => {
      const unsubscribe = onDisconnect(reject)
      client.exec(quoteAll(['env', ...environment, ...command.argv]), (error, channel) => {
        if (error !== undefined) {
          unsubscribe()
          reject(explainError(error))
          return
        }
        const [out, err] = [collect(channel, onLine), collect(channel.stderr, onLine)]
        let code: number | undefined
        channel.on('exit', (number: number | null, signal?: string) => {
          code = codeOf(number, signal)
        })
        channel.on('close', () => {
          if (code === undefined) return // the connection was lost; `onDisconnect` rejects
          unsubscribe()
          const stdoutBytes = Buffer.concat(out)
          const stderr = Buffer.concat(err).toString('utf8')
          resolve({ code, stdout: stdoutBytes.toString('utf8'), stderr, stdoutBytes })
        })
        feed(channel, command).catch((reason) => {
          channel.close()
          reject(reason)
        })
      })
    })
}

/** Connects and verifies the host key. Accounts other than root use sudo. Throws a `Failure` (exit 6) now, and from any command when the connection is lost. */
export async function connectSsh(
  address: HostAddress,
  access: SshAccess,
  askPassword?: () => Promise<string>,
  timeouts: SshTimeouts = DEFAULT_TIMEOUTS,
): Promise<Connection> {
  const identities = readIdentities(access)
  const client = await openClient(address, access, identities, timeouts)
  const waiting = new Set<(reason: Failure) => void>()
  let disconnected: Failure | undefined
  const disconnect = (failure: Failure) => {
    disconnected ??= failure
    for (const reject of waiting) reject(disconnected)
    waiting.clear()
  }
  client.removeAllListeners('close')
  const explainError = (error: SshError) => explain(address, access, identities, error)
  client.on('error', (error: SshError) => disconnect(explainError(error)))
  client.on('close', () =>
    disconnect(
      unreachable(address, 'the connection was lost', 'run the same command again: it continues where it stopped'),
    ),
  )
  const runAsUser = runOn(client, explainError, (reject) => {
    if (disconnected !== undefined) reject(disconnected)
    waiting.add(reject)
    return () => waiting.delete(reject)
  })
  const close = async () => {
    client.end()
  }
  return { runAsUser, run: address.user === 'root' ? runAsUser : asRoot(runAsUser, askPassword), close }
}
