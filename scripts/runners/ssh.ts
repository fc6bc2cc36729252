/** Runs commands on another machine over one SSH connection: host keys checked always, a dead peer noticed, no delay for small packets. */
import { readFileSync } from 'node:fs'
import { connect as connectSocket, type Socket } from 'node:net'
import { constants } from 'node:os'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import ssh2, { type AnyAuthMethod, type Client, type ClientChannel, type ServerHostKeyAlgorithm } from 'ssh2'
import { HOST_ENVIRONMENT } from '../connection/batch.ts'
import { type HostAddress, renderHostAddress } from '../connection/host-address.ts'
import { hostKeyCheck } from '../connection/host-key-check.ts'
import { lineHearer } from '../connection/line-splitter.ts'
import type { SshAccess } from '../connection/ssh-access.ts'
import { asRoot } from '../connection/sudo.ts'
import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure } from '../core/failure.ts'
import type { Command, Connection, Output, Runner } from '../core/host.ts'
import { quoteAll } from '../core/quoting.ts'

/** How long a silent peer is waited for: while connecting, and afterwards for so many answers to one sign of life each interval. */
export type Patience = Readonly<{ readyTimeoutMs: number; aliveIntervalMs: number; aliveCountMax: number }>

/** A peer that is gone is noticed after 30 s, whatever TCP believes. */
const USUAL_PATIENCE: Patience = { readyTimeoutMs: 20_000, aliveIntervalMs: 10_000, aliveCountMax: 3 }

/** In ssh2's order; a type that known_hosts has goes first, so that a host with several keys shows one that can be checked. */
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
    { what: `${renderHostAddress(address)} can't be reached`, why, next },
    EXIT_CODE.unreachable,
    cause,
  )
}

function readIdentity(path: string): Buffer {
  const told = (why: string, next: string, cause?: unknown) =>
    new Failure({ what: `the SSH key ${path} can't be used`, why, next }, EXIT_CODE.usage, cause)
  try {
    const text = readFileSync(path)
    const key = ssh2.utils.parseKey(text)
    if (!(key instanceof Error)) return text
    const isLocked = /passphrase|encrypted/i.test(key.message)
    throw told(key.message, isLocked ? `ssh-add ${path}, and leave --identity out` : 'check --identity')
  } catch (error) {
    if (error instanceof Failure) throw error
    throw told(error instanceof Error ? error.message : String(error), 'check --identity', error)
  }
}

function methodsFor({ user: username }: HostAddress, { agent, identities }: SshAccess): AnyAuthMethod[] {
  return [
    ...(agent === undefined ? [] : [{ type: 'agent', username, agent } as const]),
    ...identities.map((path) => ({ type: 'publickey', username, key: readIdentity(path) }) as const),
  ]
}

function openSocket(address: HostAddress, { readyTimeoutMs }: Patience): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: address.name, port: address.port, noDelay: true, timeout: readyTimeoutMs })
    const fail = (why: string, cause?: unknown) => {
      socket.destroy()
      reject(unreachable(address, why, 'check the address, and that sshd runs there', cause))
    }
    socket.once('error', (error) => fail(error.message, error))
    socket.once('timeout', () => fail(`no answer within ${readyTimeoutMs / 1000} s`))
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.removeAllListeners('error').removeAllListeners('timeout')
      resolve(socket)
    })
  })
}

type SshError = Error & Readonly<{ level?: string }>

function explain(address: HostAddress, error: SshError): Failure {
  if (error.level === 'client-authentication') {
    return unreachable(
      address,
      'it accepts none of our keys',
      'give the right key: --identity FILE, or ssh-add it',
      error,
    )
  }
  return unreachable(address, error.message, 'run it again once the host answers', error)
}

async function openClient(address: HostAddress, access: SshAccess, patience: Patience): Promise<Client> {
  const { types, check } = hostKeyCheck(address, access)
  const authHandler = methodsFor(address, access)
  if (authHandler.length === 0) throw unreachable(address, 'there is no SSH key to show', 'give one: --identity FILE')
  const sock = await openSocket(address, patience)
  const client = new ssh2.Client()
  let disbelief: Failure | undefined
  return await new Promise((resolve, reject) => {
    client.once('ready', () => resolve(client))
    // Stays on: ssh2 tells some faults twice, and the second would end the process.
    client.on('error', (error: SshError) => reject(disbelief ?? explain(address, error)))
    client.once('close', () =>
      reject(disbelief ?? unreachable(address, 'it closed the connection', 'look at its sshd’s journal')),
    )
    client.connect({
      sock,
      username: address.user,
      authHandler,
      readyTimeout: patience.readyTimeoutMs,
      keepaliveInterval: patience.aliveIntervalMs,
      keepaliveCountMax: patience.aliveCountMax,
      algorithms: { serverHostKey: algorithmsFor(types) },
      hostVerifier: (blob: Buffer) => {
        disbelief = check(blob)
        return disbelief === undefined
      },
    })
  })
}

async function feed(channel: ClientChannel, { stdin }: Command): Promise<void> {
  if (stdin === undefined || typeof stdin === 'string' || stdin instanceof Uint8Array) {
    channel.end(stdin === undefined || stdin.length === 0 ? undefined : stdin)
    return
  }
  // A command that ends without reading all is no fault of ours: its exit code tells.
  await pipeline(Readable.from(stdin.open()), channel.stdin ?? channel).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'ERR_STREAM_WRITE_AFTER_END') throw error
  })
}

function collect(stream: NodeJS.ReadableStream, hear: ((line: string) => void) | undefined): Buffer[] {
  const chunks: Buffer[] = []
  const lines = hear === undefined ? undefined : lineHearer(hear)
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    lines?.take(chunk)
  })
  stream.on('end', () => lines?.end())
  return chunks
}

function codeOf(code: number | null, signal: string | undefined): number {
  // RFC 4254 names signals without SIG; ssh2 puts it before them.
  return code ?? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0)
}

function runOn(
  client: Client,
  address: HostAddress,
  whenGone: (reject: (reason: Failure) => void) => () => void,
): Runner {
  const environment = Object.entries(HOST_ENVIRONMENT).map(([name, value]) => `${name}=${value}`)
  return (command, hear) =>
    new Promise<Output>((resolve, reject) => {
      const forget = whenGone(reject)
      client.exec(quoteAll(['env', ...environment, ...command.argv]), (error, channel) => {
        if (error !== undefined) {
          forget()
          reject(explain(address, error))
          return
        }
        const [out, err] = [collect(channel, hear), collect(channel.stderr, hear)]
        let code: number | undefined
        channel.on('exit', (number: number | null, signal?: string) => {
          code = codeOf(number, signal)
        })
        channel.on('close', () => {
          if (code === undefined) return // the connection went; `whenGone` tells
          forget()
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

/** Connects, checking the host's key. Root runs as itself, others through sudo. Throws a `Failure` (exit 6) now, and from any command when the connection dies. */
export async function connectSsh(
  address: HostAddress,
  access: SshAccess,
  askPassword?: () => Promise<string>,
  patience: Patience = USUAL_PATIENCE,
): Promise<Connection> {
  const client = await openClient(address, access, patience)
  const waiting = new Set<(reason: Failure) => void>()
  let gone: Failure | undefined
  const leave = (failure: Failure) => {
    gone ??= failure
    for (const reject of waiting) reject(gone)
    waiting.clear()
  }
  client.removeAllListeners('close')
  client.on('error', (error: SshError) => leave(explain(address, error)))
  client.on('close', () =>
    leave(unreachable(address, 'the connection was cut', 'run it again: it goes on where it stopped')),
  )
  const runAsUser = runOn(client, address, (reject) => {
    if (gone !== undefined) reject(gone)
    waiting.add(reject)
    return () => waiting.delete(reject)
  })
  const close = async () => {
    client.end()
  }
  return { runAsUser, run: address.user === 'root' ? runAsUser : asRoot(runAsUser, askPassword), close }
}
