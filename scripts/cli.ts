/**
 * The process behind `tappass`: the command table, and the one reader of the environment.
 * To add a command: write `scripts/commands/<verb>.ts` that exports `run(invocation): Promise<number>`
 * (the exit code; throw a `Failure` for an end that the user must read), and add one entry to `verbs`.
 * Nothing but the table is loaded for `--help`, so that it answers at once.
 */
import { join } from 'node:path'
import { findVerb, parseArguments } from './command-line/argument.ts'
import type { CommandTable } from './command-line/invocation.ts'
import {
  DATA_OPTION,
  HOST_OPTIONS,
  JSON_OPTION,
  NO_INPUT_OPTION,
  WANTED_OPTIONS,
  YES_OPTION,
} from './command-line/option.ts'
import { renderOverview, renderVerb } from './command-line/usage.ts'
import { EXIT_CODE } from './core/exit-code.ts'
import { Failure, renderFailure } from './core/failure.ts'

/** Everything that can be typed after `tappass`, in the order of `--help`. */
export const VERBS: CommandTable = [
  {
    name: 'up',
    summary: 'run a gateway on this machine, for a first look and for development',
    options: [
      { name: 'storage', value: 'WHERE', choices: ['memory', 'local', 'supabase'], summary: 'where records are kept' },
      { name: 'port', value: 'N', summary: 'port to listen on (default: 9620; 0: any free one)' },
      { name: 'upstream', value: 'URL', summary: 'an OpenAI-compatible server that answers calls (…/v1)' },
      { name: 'provider-key-file', value: 'FILE', summary: 'file with the provider’s API key' },
      { name: 'license', value: 'FILE', summary: 'file with a license' },
      { name: 'supabase-url', value: 'URL', summary: 'PostgreSQL connection string, without its password' },
      { name: 'supabase-key-file', value: 'FILE', summary: 'file with that password' },
      DATA_OPTION,
      { name: 'verbose', summary: 'show the gateway’s log on a terminal too' },
      JSON_OPTION,
      NO_INPUT_OPTION,
    ],
    load: () => import('./commands/up.ts'),
  },
  {
    name: 'bootstrap',
    summary: 'bring a server to the wanted state: this one, or others over SSH',
    options: [...HOST_OPTIONS, ...WANTED_OPTIONS, YES_OPTION, JSON_OPTION, NO_INPUT_OPTION],
    load: () => import('./commands/bootstrap.ts'),
  },
  {
    name: 'plan',
    summary: 'show what bootstrap would change, and change nothing',
    options: [...HOST_OPTIONS, ...WANTED_OPTIONS, JSON_OPTION, NO_INPUT_OPTION],
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'status',
    summary: 'show the units of a server, their health and revision, and the last backup',
    options: [...HOST_OPTIONS, JSON_OPTION, NO_INPUT_OPTION],
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'agent',
    summary: 'add, list or revoke the agents that may call a gateway',
    options: [
      DATA_OPTION,
      { name: 'url', value: 'URL', summary: 'a gateway anywhere, with --admin-key-file' },
      { name: 'admin-key-file', value: 'FILE', summary: 'file with the admin key of that gateway' },
      ...HOST_OPTIONS,
      JSON_OPTION,
      NO_INPUT_OPTION,
    ],
    actions: [
      {
        name: 'add',
        operands: 'ID',
        summary: 'make an agent and show its key, once',
        options: [
          { name: 'framework', value: 'NAME', summary: 'what it is built with' },
          { name: 'description', value: 'TEXT', summary: 'what it is for' },
          { name: 'owner', value: 'EMAIL', summary: 'who answers for it' },
        ],
      },
      { name: 'list', summary: 'show all agents' },
      { name: 'revoke', operands: 'ID', summary: 'make its keys void, within a second' },
    ],
    load: () => import('./commands/agent.ts'),
  },
  {
    name: 'migrate',
    summary: 'show, run or check the migrations of a database',
    options: [
      DATA_OPTION,
      ...HOST_OPTIONS,
      { name: 'lock-timeout', value: 'SECONDS', summary: 'how long to wait for another run (default: 30)' },
      JSON_OPTION,
      NO_INPUT_OPTION,
    ],
    actions: [
      { name: 'status', summary: 'what was run and what is pending (exit 2)' },
      { name: 'up', summary: 'run what is pending' },
      { name: 'verify', summary: 'compare files and schema with the ledger' },
      {
        name: 'baseline',
        summary: 'take over a database that init scripts made',
        options: [{ name: 'at', value: 'NNN', summary: 'only when it stands at this migration' }],
      },
    ],
    load: () => import('./commands/migrate.ts'),
  },
  {
    name: 'completion',
    summary: 'print completions for a shell',
    operands: 'bash|zsh|fish',
    options: [],
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'test',
    summary: 'run every test that this machine can run',
    options: [
      { name: 'only', value: 'GLOB', summary: 'only test files whose path matches (test/server/**)' },
      { name: 'no-lab', summary: 'leave the booted machines out' },
      { name: 'verbose', summary: 'show what the tests say while they run' },
      { name: 'needs', summary: 'run nothing; show what tests need, what is missing, and the Debian packages' },
    ],
    load: () => import('./commands/test.ts'),
  },
  {
    name: 'version',
    summary: 'show the versions of TapPass and Node',
    options: [JSON_OPTION],
    load: () => import('./commands/version.ts'),
  },
]

/** Where the command line's own streams, folders, environment and clock come from; a test hands in its own. */
export type Surroundings = Readonly<{
  root: string
  workingFolder: string
  environment: Readonly<Record<string, string | undefined>>
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  nowMs: () => number
  interrupt: AbortSignal
}>

function hasColor({ environment, stderr }: Surroundings, isRefused: boolean): boolean {
  return !isRefused && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb' && stderr.isTTY === true
}

async function runVerb(words: readonly string[], around: Surroundings): Promise<number> {
  const first = words[0]
  if (first === undefined) {
    around.stderr.write(renderOverview(VERBS))
    return EXIT_CODE.usage
  }
  if (first === '--help' || first === '-h' || first === 'help') {
    const named = first === 'help' ? words[1] : undefined
    around.stdout.write(named === undefined ? renderOverview(VERBS) : renderVerb(findVerb(VERBS, named)))
    return EXIT_CODE.asWanted
  }
  const typed = parseArguments(VERBS, first === '--version' ? ['version', ...words.slice(1)] : words)
  if (typed.isHelp) {
    around.stdout.write(renderVerb(typed.verb))
    return EXIT_CODE.asWanted
  }
  const { run } = await typed.verb.load()
  return await run({
    ...around,
    ...typed,
    verbs: VERBS,
    hasColor: hasColor(around, typed.options['no-color'] === true),
  })
}

/** Runs one command line and gives its exit code. A failure is told on stderr; anything else thrown is a defect. */
export async function main(words: readonly string[], around: Surroundings): Promise<number> {
  try {
    return await runVerb(words, around)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    around.stderr.write(`${renderFailure(error.text)}\n`)
    return error.code
  }
}

function interruptOnSignals(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(EXIT_CODE.interrupted)
      controller.abort(signal)
    })
  }
  return controller.signal
}

if (import.meta.main) {
  process.exitCode = await main(process.argv.slice(2), {
    root: join(import.meta.dirname, '..'),
    workingFolder: process.cwd(),
    environment: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    nowMs: () => Date.now(),
    interrupt: interruptOnSignals(),
  })
}
