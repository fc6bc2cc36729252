/** One thing that `tappass test` runs: a program whose exit code or report says how it went. */
import { readFile, rm } from 'node:fs/promises'
import { $ } from 'zx'
import { readExit, readReport, type TestRun } from './tally.ts'

/**
 * `tests` is there for a run of `node --test`: the Node's version, and the file that it puts its report into. Of other
 * programs the exit code is all.
 */
export type Check = Readonly<{
  name: string
  argv: readonly [string, ...string[]]
  tests?: Readonly<{ node: string; reportFile: string }>
}>

/** How a check went; `output` is all that it said. */
export type CheckResult = Readonly<{ check: Check; run: TestRun; output: string; ms: number }>

/** What every check runs in; `hear` gets what it says as it says it. */
export type CheckEnvironment = Readonly<{
  hear: (text: string) => void
  root: string
  environment: Readonly<Record<string, string | undefined>>
  nowMs: () => number
  interrupt: AbortSignal
}>

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return ''
  }
}

/** The environment without what would make a test runner think that it runs inside another one. */
function cleanEnvironment(environment: CheckEnvironment['environment']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined || name === 'NODE_TEST_CONTEXT' ? [] : [[name, value]],
    ),
  )
}

/** Runs a check to its end. A program that can't be started, or that a signal ended, has failed. */
export async function runCheck(check: Check, context: CheckEnvironment): Promise<CheckResult> {
  const startMs = context.nowMs()
  if (check.tests !== undefined) await rm(check.tests.reportFile, { force: true })
  const child = $({
    ...{ cwd: context.root, env: cleanEnvironment(context.environment), signal: context.interrupt },
    ...{ input: '', quiet: true, nothrow: true, killSignal: 'SIGTERM' },
  })`exec ${check.argv}`
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
      context.hear(text)
    })
  const { exitCode } = await child
  const { name, tests } = check
  const run =
    tests === undefined ? readExit(name, exitCode) : readReport(name, await readText(tests.reportFile), exitCode)
  return { check, run, output, ms: context.nowMs() - startMs }
}
