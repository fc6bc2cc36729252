/** Runs commands on a remote host over one SSH connection: host keys are always verified, a dead peer is detected, small packets are not delayed. */
import { constants } from 'node:os'
import { type Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ClientChannel, Client as SshClient } from 'ssh2'
import { HOST_ENVIRONMENT } from '../connection/batch.ts'
import { createCommandRunner, type StartedCommand, underTimeout } from '../connection/command-run.ts'
import type { HostAddress } from '../connection/host-address.ts'
import { connected, relayArgv } from '../connection/relay.ts'
import { resuming } from '../connection/resumed-transfer.ts'
import type { SshAccess } from '../connection/ssh-access.ts'
import { DEFAULT_TIMEOUTS, openClient, type SshTimeouts } from '../connection/ssh-client.ts'
import { explainSshError, type SshError, unreachable } from '../connection/ssh-failure.ts'
import { readIdentities } from '../connection/ssh-identity.ts'
import { asRoot } from '../connection/sudo.ts'
import type { Failure } from '../core/failure.ts'
import type { Command, Connection } from '../core/host.ts'
import { quoteAll } from '../core/quoting.ts'

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
    run: resuming(underTimeout(address.user === 'root' ? run : asRoot(run, askPassword))),
    endReads,
    dial: dialOver(client),
    close,
  }
}
