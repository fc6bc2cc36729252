/** Programs of this machine that a bundle is made with: apt, curl, npm, pip, Docker's client. */
import { execa } from 'execa'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure, interruptedFailure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'

/** What making a bundle has: a folder for what was fetched, where to tell what is done, the way to end it. `environment` is that of the process. */
export type Downloader = Readonly<{
  cache: string
  report: (line: string) => void
  interrupt: AbortSignal
  environment: Readonly<Record<string, string | undefined>>
}>

type Options = Readonly<{ environment?: Readonly<Record<string, string>>; folder?: string }>

const LINES_SHOWN = 8

/** Runs a program and returns what it printed. Throws a `Failure` for one that is not there (`need` says what for) or fails. */
export async function runTool(
  downloader: Downloader,
  argv: readonly [string, ...string[]],
  need: string,
  { environment = {}, folder }: Options = {},
): Promise<string> {
  const [program, ...words] = argv
  const result = await execa(program, words, {
    ...{ reject: false, stdin: 'ignore', cancelSignal: downloader.interrupt, extendEnv: false },
    env: { ...downloader.environment, ...environment },
    ...(folder === undefined ? {} : { cwd: folder }),
  } as const)
  if (result.isCanceled) throw interruptedFailure(`while ${program} was at work: the same command goes on from there`)
  if (result.code === 'ENOENT')
    throw new Failure(
      { what: `${program} is not on this machine`, why: need, next: `install ${program}` },
      EXIT_CODE.refused,
    )
  if (result.exitCode === 0) return result.stdout
  const why = result.stderr.trim().split('\n').slice(-LINES_SHOWN).join('\n         ')
  throw new Failure({
    what: `${program} failed`,
    where: quoteAll(argv),
    why,
    next: 'run the same command again: it goes on from there',
  })
}
