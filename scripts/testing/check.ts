/** One thing that `tappass test` runs: a program whose exit code or TAP says how it went. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { type Tally, tallyExit, tallyTap } from './tally.ts'

/** `tapFile` is where a `node --test` run puts its TAP; undefined for programs whose exit code is all. */
export type Check = Readonly<{ name: string; argv: readonly [string, ...string[]]; tapFile?: string }>

/** How a check went; `output` is all that it said. */
export type CheckResult = Readonly<{ check: Check; tally: Tally; output: string; ms: number }>

/** What every check runs in; `hear` gets what it says as it says it. */
export type Surroundings = Readonly<{
  hear: (text: string) => void
  root: string
  environment: Readonly<Record<string, string | undefined>>
  nowMs: () => number
  interrupt: AbortSignal
}>

const readTap = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return ''
  }
}

/** The environment without what would make a test runner think that it runs inside another one. */
const cleanEnvironment = (environment: Surroundings['environment']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined || name === 'NODE_TEST_CONTEXT' ? [] : [[name, value]],
    ),
  )

/** Runs a check to its end. A program that can't be started, or that a signal ended, has failed. */
export const runCheck = async (check: Check, around: Surroundings): Promise<CheckResult> => {
  const startMs = around.nowMs()
  if (check.tapFile !== undefined) await rm(check.tapFile, { force: true })
  const [program, ...rest] = check.argv
  const child = spawn(program, rest, {
    cwd: around.root,
    env: cleanEnvironment(around.environment),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: around.interrupt,
    killSignal: 'SIGTERM',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
      around.hear(text)
    })
  const exitCode = await once(child, 'close').then(
    ([code]) => code as number | null,
    (error: Error) => {
      output += `${error.message}\n`
      return null
    },
  )
  const tally = check.tapFile === undefined ? tallyExit(exitCode) : tallyTap(await readTap(check.tapFile), exitCode)
  return { check, tally, output, ms: around.nowMs() - startMs }
}
