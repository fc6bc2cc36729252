/** The process of `tappass`, and the only reader of the environment. `--help` loads nothing but the command table, so that it is fast. */

import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT_CODE } from '../contract/exit-code.ts'
import { findVerb, parseArguments } from './command-line/argument.ts'
import { renderOverview, renderVerb } from './command-line/usage.ts'
import { VERBS } from './command-table.ts'
import { Failure, renderFailure } from './core/failure.ts'
import { quote } from './core/quoting.ts'

/** Streams, folders, environment and clock of the command line; tests provide their own. */
export type CliEnvironment = Readonly<{
  root: string
  workingFolder: string
  program: string
  environment: Readonly<Record<string, string | undefined>>
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  nowMs: () => number
  interrupt: AbortSignal
}>

function hasColor({ environment, stderr }: CliEnvironment, isRefused: boolean): boolean {
  return !isRefused && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb' && stderr.isTTY === true
}

async function runVerb(args: readonly string[], cli: CliEnvironment): Promise<number> {
  const first = args[0]
  if (first === undefined) {
    cli.stderr.write(renderOverview(VERBS))
    return EXIT_CODE.usage
  }
  if (first === '--help' || first === '-h' || first === 'help') {
    const topic = first === 'help' ? args[1] : undefined
    cli.stdout.write(topic === undefined ? renderOverview(VERBS) : renderVerb(findVerb(VERBS, topic)))
    return EXIT_CODE.upToDate
  }
  const parsed = parseArguments(VERBS, first === '--version' ? ['version', ...args.slice(1)] : args)
  if (parsed.isHelp) {
    cli.stdout.write(renderVerb(parsed.verb))
    return EXIT_CODE.upToDate
  }
  const { run } = await parsed.verb.load()
  return await run({
    ...cli,
    ...parsed,
    verbs: VERBS,
    hasColor: hasColor(cli, parsed.options['no-color'] === true),
  })
}

/** Runs a command line and returns its exit code. A failure is printed on stderr; any other exception is a defect. */
export async function main(args: readonly string[], cli: CliEnvironment): Promise<number> {
  try {
    return await runVerb(args, cli)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    cli.stderr.write(`${renderFailure(error.text, cli.program)}\n`)
    return error.code
  }
}

/** Returns what the user types to run TapPass: `tappass` if that is this one on PATH, `./tappass` in its folder, otherwise the whole path. */
function programOf(root: string, workingFolder: string, path = ''): string {
  const launcher = join(root, 'tappass')
  const onPath = path
    .split(':')
    .map((folder) => join(folder, 'tappass'))
    .find((file) => existsSync(file))
  if (onPath !== undefined && realpathSync(onPath) === launcher) return 'tappass'
  return workingFolder === root ? './tappass' : quote(launcher)
}

function interruptOnSignals(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(EXIT_CODE.interrupted)
      controller.abort(signal)
    })
  }
  // Nobody reads what is printed any more (`| head`): as Ctrl-C, and no further complaint.
  process.stdout.on('error', () => controller.abort('SIGPIPE'))
  return controller.signal
}

if (import.meta.main) {
  process.once('beforeExit', () => process.exit()) // nothing is left to do: Node need not tidy up its memory
  const [root, workingFolder] = [join(import.meta.dirname, '..'), process.cwd()]
  process.exitCode = await main(process.argv.slice(2), {
    root,
    workingFolder,
    // Where a release that was unpacked for this runs in place of the one that was typed.
    program: process.env['TAPPASS_PROGRAM'] ?? programOf(root, workingFolder, process.env['PATH']),
    environment: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    nowMs: () => Date.now(),
    interrupt: interruptOnSignals(),
  })
}
