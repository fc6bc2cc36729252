/** Runs commands on this machine. */
import { constants } from 'node:os'
import { Readable } from 'node:stream'
import { execa } from 'execa'
import { HOST_ENVIRONMENT } from '../connection/batch.ts'
import { splitLines } from '../connection/line-splitter.ts'
import { asRoot } from '../connection/sudo.ts'
import { Failure } from '../core/failure.ts'
import type { Command, Connection, Runner } from '../core/host.ts'

/** Maximum output of a command; more is a defect. */
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024

function stdinOf({ stdin }: Command): { input: string | Uint8Array | Readable } | { stdin: 'ignore' } {
  if (stdin === undefined) return { stdin: 'ignore' }
  if (typeof stdin === 'string' || stdin instanceof Uint8Array) return { input: stdin }
  return { input: Readable.from(stdin.open()) }
}

const run: Runner = async (command, onLine) => {
  // Through env(1), as over SSH: a missing program is exit code 127 everywhere.
  const child = execa('env', command.argv, {
    ...stdinOf(command),
    env: { ...HOST_ENVIRONMENT, HOME: '/root' },
    extendEnv: false,
    encoding: 'buffer',
    stripFinalNewline: false,
    reject: false,
    maxBuffer: OUTPUT_BYTES_MAX,
    // In a session of its own: Ctrl-C reaches the toolkit only, which lets the step finish.
    detached: true,
  })
  if (onLine !== undefined) {
    for (const stream of [child.stdout, child.stderr]) {
      const { write, end } = splitLines(onLine)
      stream.on('data', write).on('end', end)
    }
  }
  const result = await child
  if (result.cause instanceof Failure) throw result.cause
  if (result.exitCode === undefined && result.signal === undefined) {
    throw new Failure(
      { what: `cannot run ${command.argv[0]}`, why: result.originalMessage ?? 'unknown error' },
      1,
      result.cause,
    )
  }
  const code = result.exitCode ?? 128 + (result.signal === undefined ? 0 : constants.signals[result.signal])
  const stdoutBytes = result.stdout ?? new Uint8Array()
  const stdout = Buffer.from(stdoutBytes).toString('utf8')
  return { code, stdout, stderr: Buffer.from(result.stderr ?? []).toString('utf8'), stdoutBytes }
}

/** Connects to this machine. `isRoot`: the toolkit itself runs as root; otherwise sudo is used. */
export function connectLocal(isRoot: boolean, askPassword?: () => Promise<string>): Connection {
  return {
    run: isRoot ? run : asRoot(run, askPassword),
    runAsUser: run,
    close: async () => {},
  }
}
