/** Runs commands within bounds of time and output, however they are started: here, or over SSH. */
import type { Readable } from 'node:stream'
import { deadlineMsOf, describeCommand, timeoutArgv } from '../core/command.ts'
import { Failure } from '../core/failure.ts'
import type { Command, Output, Runner } from '../core/host.ts'
import { splitLines } from './line-splitter.ts'

/**
 * A command that was started. `ended` is its exit code, once all output has been read; it rejects when the connection is lost. `giveUp`
 * stops listening to it and ends what can be ended from here.
 */
export type StartedCommand = Readonly<{
  stdout: Readable
  stderr: Readable
  ended: Promise<number>
  giveUp: () => void
}>

/** A runner, and what ends the read commands that run. */
export type CommandRunner = Readonly<{ run: Runner; endReads: (reason: Error) => void }>

/** After its deadline the host has this long to end a command and to say so; then it is given up from here. */
const GRACE_MS = 10_000
/** As timeout(1) has it. */
const OVERDUE_CODE = 124
const OUTPUT_BYTES_MAX = 32 * 1024 * 1024

function tooMuchOutput(command: Command, outputBytesMax: number): Failure {
  const why = `more than ${Math.floor(outputBytesMax / 1_000_000)} MB; it was ended`
  return new Failure({ what: `a command printed too much: ${describeCommand(command)}`, why })
}

/** Keeps a stream in memory, up to a bound; `onFull` is called once it is reached. With a bound of 0 only its lines are handed on. */
function keep(
  stream: Readable,
  outputBytesMax: number,
  onFull: () => void,
  onLine?: (line: string) => void,
): () => Buffer {
  const chunks: Buffer[] = []
  let bytes = 0
  const lines = onLine === undefined ? undefined : splitLines(onLine)
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (outputBytesMax > 0) {
      if (bytes > outputBytesMax) return onFull()
      chunks.push(chunk)
    }
    lines?.write(chunk)
  })
  stream.on('end', () => lines?.end())
  return () => Buffer.concat(chunks)
}

function outputOf(code: number, [out, err]: readonly Buffer[], overdueMs: number | undefined): Output {
  const [stdoutBytes, stderr] = [out ?? Buffer.alloc(0), err?.toString('utf8') ?? '']
  const output = { code, stdout: stdoutBytes.toString('utf8'), stderr, stdoutBytes }
  return overdueMs === undefined ? output : { ...output, overdueMs }
}

/** Returns a runner over what starts commands. A command's `deadlineMs` is kept here; `underTimeout` has the host keep it, too. */
export function createCommandRunner(
  start: (command: Command) => Promise<StartedCommand>,
  graceMs = GRACE_MS,
): CommandRunner {
  const reads = new Set<(reason: Error) => void>()
  const run: Runner = async (command, onLine) => {
    const deadlineMs = deadlineMsOf(command)
    const { outputBytesMax = OUTPUT_BYTES_MAX, isStreamed = false } = command
    const stopped = Promise.withResolvers<undefined>()
    let isOverdue = false
    const overdue = isStreamed
      ? undefined
      : setTimeout(() => {
          isOverdue = true
        }, deadlineMs)
    const given = isStreamed ? undefined : setTimeout(() => stopped.resolve(undefined), deadlineMs + graceMs)
    if (command.effect === 'read') reads.add(stopped.reject)
    const starting = start(command)
    let kept: readonly (() => Buffer)[] = []
    const complete = async (): Promise<number> => {
      const { stdout, stderr, ended } = await starting
      const onFull = () => stopped.reject(tooMuchOutput(command, outputBytesMax))
      kept = [stdout, stderr].map((stream) =>
        keep(stream, isStreamed && stream === stdout ? 0 : outputBytesMax, onFull, onLine),
      )
      return await ended
    }
    let code: number | undefined
    try {
      code = await Promise.race([complete(), stopped.promise])
    } finally {
      clearTimeout(overdue)
      clearTimeout(given)
      reads.delete(stopped.reject)
      if (code === undefined) starting.then(({ giveUp }) => giveUp()).catch(() => undefined)
    }
    const buffers = kept.map((bytes) => bytes())
    return outputOf(code ?? OVERDUE_CODE, buffers, isOverdue && code !== 0 ? deadlineMs : undefined)
  }
  const endReads = (reason: Error) => {
    for (const end of reads) end(reason)
  }
  return { run, endReads }
}

/** Returns a runner that has the host end each command at its deadline. It stands before sudo, which nobody but root can end. */
export function underTimeout(run: Runner): Runner {
  return (command, onLine) => run({ ...command, argv: timeoutArgv(command), deadlineMs: deadlineMsOf(command) }, onLine)
}
