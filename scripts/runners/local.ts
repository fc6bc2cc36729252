/** Runs commands on this machine. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { constants } from 'node:os'
import { type Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { execa } from 'execa'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { HOST_ENVIRONMENT } from '../connection/batch.ts'
import { createCommandRunner, type StartedCommand, underTimeout } from '../connection/command-run.ts'
import { asRoot } from '../connection/sudo.ts'
import { Failure } from '../core/failure.ts'
import type { Command, Connection } from '../core/host.ts'

function stdinOf({ stdin }: Command): { input: string | Uint8Array } | { stdin: 'ignore' | 'pipe' } {
  if (stdin === undefined) return { stdin: 'ignore' }
  if (typeof stdin === 'string' || stdin instanceof Uint8Array) return { input: stdin }
  return { stdin: 'pipe' }
}

/** A command may end without reading all of its input, and before that has an end; its exit code tells whether that is an error. */
const UNREAD = [
  'EPIPE',
  'ECONNRESET',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]

/** Gives a command its input, if that is a stream. Returns what went wrong with it by now. */
function feed(child: ChildProcess, { stdin }: Command): () => Error | undefined {
  let problem: Error | undefined
  if (typeof stdin === 'object' && 'open' in stdin && child.stdin !== null)
    pipeline(Readable.from(stdin.open()), child.stdin).catch((error: NodeJS.ErrnoException) => {
      if (!UNREAD.includes(error.code ?? '')) problem = error
    })
  return () => problem
}

/** Ends a process with all that it started, as far as this account may; either way nothing here waits for it any longer. */
function giveUp(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended already, or belongs to root: timeout(1) ends it.
  }
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
  child.unref()
}

async function start(command: Command): Promise<StartedCommand> {
  // Through env(1), as over SSH: a missing program is exit code 127 everywhere.
  const child = execa('env', command.argv, {
    ...stdinOf(command),
    env: { ...HOST_ENVIRONMENT, HOME: '/root' },
    extendEnv: false,
    encoding: 'buffer',
    buffer: false,
    stripFinalNewline: false,
    reject: false,
    // In a session of its own: Ctrl-C reaches the toolkit only, which lets the step finish.
    detached: true,
  })
  const problemOf = feed(child.nodeChildProcess, command)
  const ended = child.then((result) => {
    const problem = problemOf()
    if (problem !== undefined) throw problem
    if (result.cause instanceof Failure) throw result.cause
    if (result.exitCode === undefined && result.signal === undefined) {
      const why = result.originalMessage ?? 'unknown error'
      throw new Failure({ what: `cannot run ${command.argv[0]}`, why }, EXIT_CODE.failed, result.cause)
    }
    return result.exitCode ?? 128 + (result.signal === undefined ? 0 : constants.signals[result.signal])
  })
  return { stdout: child.stdout, stderr: child.stderr, ended, giveUp: () => giveUp(child.nodeChildProcess) }
}

const DIAL_TIMEOUT_MS = 10_000

async function dialHere(host: string, port: number): Promise<Duplex> {
  const socket = createConnection({ host, port, noDelay: true, timeout: DIAL_TIMEOUT_MS })
  socket.once('timeout', () => socket.destroy(new Error(`no answer within ${DIAL_TIMEOUT_MS / 1000} s`)))
  await once(socket, 'connect')
  socket.setTimeout(0)
  return socket
}

/** Connects to this machine. `isRoot`: the toolkit itself runs as root; otherwise sudo is used. */
export function connectLocal(isRoot: boolean, askPassword?: () => Promise<string>): Connection {
  const { run, endReads } = createCommandRunner(start)
  return {
    run: underTimeout(isRoot ? run : asRoot(run, askPassword)),
    runAsUser: underTimeout(run),
    endReads,
    dial: dialHere,
    close: async () => {},
  }
}
