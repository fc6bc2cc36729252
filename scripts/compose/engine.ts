/** The hands: asks Docker's client about the containers of a project. */
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { execa } from 'execa'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { Failure, interruptedFailure } from '../core/failure.ts'
import { printable } from '../core/printable.ts'

/** What a command said. */
export type Said = Readonly<{ code: number; stdout: string; stderr: string }>

/** Asks; `stream` shows what is said while it is said. */
export type Engine = (words: readonly string[], isShown?: boolean) => Promise<Said>

const TIMEOUT_MS = 60_000
/** Compose clears the line before each one, also where there is no terminal. */
const CLEARING = '\u001b[2K'

/** Line by line: what containers write is not trusted. */
async function show(from: Readable, to: NodeJS.WritableStream): Promise<void> {
  for await (const line of createInterface({ input: from })) to.write(`${printable(line.replaceAll(CLEARING, ''))}\n`)
}

/** Returns the way to ask. It throws a `Failure` where there is no client, and for an interrupt. */
export function openEngine({ environment, interrupt, stdout, stderr }: Invocation): Engine {
  return async (words, isShown = false) => {
    const running = execa('docker', words, {
      ...{ reject: false, stdin: 'ignore', extendEnv: false, env: environment, cancelSignal: interrupt },
      ...(isShown ? { buffer: false } : { timeout: TIMEOUT_MS }),
    } as const)
    const shown = isShown ? [show(running.stdout, stdout), show(running.stderr, stderr)] : []
    const [result] = await Promise.all([running, ...shown])
    if (result.isCanceled) throw interruptedFailure('while Docker was asked')
    if (result.code === 'ENOENT')
      throw new Failure(
        {
          what: 'docker is not on this machine',
          why: '"--compose" asks it',
          next: 'install Docker Engine 25 or newer and its Compose plugin',
        },
        EXIT_CODE.refused,
      )
    return {
      code: result.exitCode ?? EXIT_CODE.failed,
      stdout: `${result.stdout ?? ''}`,
      stderr: `${result.stderr ?? ''}`,
    }
  }
}

/** Returns what a question prints. Throws a `Failure` when it is not answered: the engine is away, or may not be asked. */
export async function answerOf(engine: Engine, words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await engine(words)
  if (code === 0) return stdout
  const why = stderr.trim().split('\n').at(-1) ?? `it ended with ${code}`
  throw new Failure(
    {
      what: 'Docker does not answer',
      where: `docker ${words.slice(0, 2).join(' ')}`,
      why,
      next: 'sudo systemctl start docker; sudo docker info',
    },
    EXIT_CODE.unreachable,
  )
}
