/** `tappass test`: everything that this machine can run, and a plain word about what it can't. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { type Check, type CheckResult, runCheck } from '../testing/check.ts'
import { findUnmet, listPackages, type Machine, NEEDS } from '../testing/need.ts'
import { describeNodes, type NodeRun, tallyResults } from '../testing/tally.ts'
import { listTestFiles } from '../testing/test-file.ts'
import { type NodeChoice, planTests, type TestPlan } from '../testing/test-plan.ts'

/** How many of the test files that took longest are named. */
const SLOWEST_COUNT = 3

function machineOf({ environment }: Invocation): Machine {
  return {
    path: environment['PATH'] ?? '',
    userId: process.getuid?.() ?? -1,
    labCache: environment['TAPPASS_LAB_CACHE'] || '/var/cache/tappass-lab',
  }
}

/** The Node that runs this, and under CI every other pinned one, looked for where the launcher and the lab put them. */
function chooseNodes({ root }: Invocation, { labCache }: Machine, isContinuous: boolean): readonly NodeChoice[] {
  const running = { version: process.versions.node, path: process.execPath }
  const pinned = [...readFileSync(join(root, 'versions.yaml'), 'utf8').matchAll(/^ +- version: ([\d.]+)/gm)]
  const others = pinned.map(([, version]) => version ?? '').filter((version) => version !== running.version)
  const find = (version: string) =>
    [join(root, '.tappass', 'node'), join(labCache, 'node')]
      .map((folder) => join(folder, version, 'bin', 'node'))
      .find((path) => existsSync(path))
  return [running, ...(isContinuous ? others.map((version) => ({ version, path: find(version) })) : [])]
}

function createPlan(invocation: Invocation, isContinuous: boolean, scratch: string): TestPlan {
  const machine = machineOf(invocation)
  const known = new Map<string, string | undefined>()
  const reasonAgainst = (needs: readonly string[]): string | undefined => {
    const key = needs.join(' ')
    if (!known.has(key)) known.set(key, findUnmet(needs, machine))
    return known.get(key)
  }
  return planTests({
    files: listTestFiles(invocation.root),
    reasonAgainst,
    nodes: chooseNodes(invocation, machine, isContinuous),
    only: textOption(invocation, 'only'),
    hasLab: !isGiven(invocation, 'no-lab'),
    scratch,
  })
}

/** The test files of a run that took longest, with their seconds. */
function describeSlowest({ run }: CheckResult): string {
  const slowest = run.files.toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST_COUNT)
  return slowest.map(({ path, ms }) => `${path} ${(ms / 1000).toFixed(1)} s`).join(', ')
}

function showResult({ stdout }: Invocation, result: CheckResult): void {
  const { check, run, output, ms } = result
  const { passed, failed } = tallyResults(run.results)
  const counts = check.tests === undefined ? '' : `: ${passed} passed, ${failed} failed`
  const failures = output.slice(Math.max(0, output.indexOf('✖ failing tests:')))
  if (failed > 0) stdout.write(`\n${failures.trimEnd()}\n\n`)
  stdout.write(`${failed > 0 ? '✖' : '✔'} ${check.name}${counts} (${(ms / 1000).toFixed(1)} s)\n`)
  if (run.files.length > 0) stdout.write(`  longest: ${describeSlowest(result)}\n`)
}

async function runAll(invocation: Invocation, plan: TestPlan): Promise<readonly CheckResult[]> {
  const isVerbose = isGiven(invocation, 'verbose')
  const hear = (text: string) => (isVerbose ? invocation.stderr.write(text) : undefined)
  const runOne = async (check: Check): Promise<CheckResult> => {
    invocation.stderr.write(`▸ ${check.name}\n`)
    const result = await runCheck(check, { ...invocation, hear })
    showResult(invocation, result)
    return result
  }
  const results: CheckResult[] = [...(await Promise.all(plan.first.map(runOne)))]
  for (const check of plan.alone) if (!invocation.interrupt.aborted) results.push(await runOne(check))
  return results
}

/** What ran where and what was left out; the last line counts each test once. Gives the exit code. */
function showTotal(
  { stdout }: Invocation,
  plan: TestPlan,
  results: readonly CheckResult[],
  isContinuous: boolean,
): number {
  const total = tallyResults(results.flatMap(({ run }) => run.results))
  const leftOut = [...plan.leftOut, ...total.leftOut]
  for (const line of leftOut) stdout.write(`left out: ${line}\n`)
  const runs = results.flatMap(({ check, run }): readonly NodeRun[] =>
    check.tests === undefined ? [] : [{ node: check.tests.node, results: run.results }],
  )
  for (const line of describeNodes(runs)) stdout.write(`${line}\n`)
  const failed = total.failed + (isContinuous ? leftOut.length : 0)
  if (isContinuous && leftOut.length > 0) stdout.write('under CI, what is left out counts as failed\n')
  stdout.write(`${total.passed} passed, ${failed} failed\n`)
  return failed === 0 ? EXIT_CODE.upToDate : EXIT_CODE.failed
}

/** Every need of a test, whether it is met, and the Debian packages that bring all of them (`.ci/install` reads those). */
function showNeeds(invocation: Invocation): number {
  const machine = machineOf(invocation)
  for (const name of Object.keys(NEEDS)) {
    invocation.stdout.write(`${name}: ${findUnmet([name], machine) ?? 'met'}\n`)
  }
  invocation.stdout.write(`packages: ${listPackages().join(' ')}\n`)
  return EXIT_CODE.upToDate
}

/** Runs them; the last line on stdout is `N passed, N failed`. Under CI=true what is left out fails the run. */
export async function run(invocation: Invocation): Promise<number> {
  if (isGiven(invocation, 'needs')) return showNeeds(invocation)
  if (!existsSync(join(invocation.root, 'test'))) {
    const next = 'run it in a clone; a server is looked at by tappass status'
    throw new Failure({ what: 'a release has no tests', where: invocation.root, next }, EXIT_CODE.refused)
  }
  const isContinuous = /^(1|true)$/.test(invocation.environment['CI'] ?? '')
  const scratch = mkdtempSync(join(tmpdir(), 'tappass-test-'))
  try {
    const plan = createPlan(invocation, isContinuous, scratch)
    if (plan.first.length + plan.alone.length === 0) {
      throw usageFailure('nothing is left to run', `left out: ${plan.leftOut.join('; ')}`)
    }
    const results = await runAll(invocation, plan)
    return invocation.interrupt.aborted ? EXIT_CODE.interrupted : showTotal(invocation, plan, results, isContinuous)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
