/** `tappass test`: everything that this machine can run, and a plain word about what it can't. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { EXIT_CODE } from '../core/exit-code.ts'
import { usageFailure } from '../core/failure.ts'
import { type Check, type CheckResult, runCheck } from '../testing/check.ts'
import { type Machine, unmet } from '../testing/need.ts'
import { sumTallies } from '../testing/tally.ts'
import { listTestFiles } from '../testing/test-file.ts'
import { type NodeChoice, planTests, type TestPlan } from '../testing/test-plan.ts'

/** The Node that runs this, and under CI every other pinned one, looked for where the launcher and the lab put them. */
const chooseNodes = ({ root }: Invocation, { labCache }: Machine, isContinuous: boolean): readonly NodeChoice[] => {
  const running = { version: process.versions.node, path: process.execPath }
  const pinned = [...readFileSync(join(root, 'versions.yaml'), 'utf8').matchAll(/^ +- version: ([\d.]+)/gm)]
  const others = pinned.map(([, version]) => version ?? '').filter((version) => version !== running.version)
  const find = (version: string) =>
    [join(root, '.tappass', 'node'), join(labCache, 'node')]
      .map((folder) => join(folder, version, 'bin', 'node'))
      .find((path) => existsSync(path))
  return [running, ...(isContinuous ? others.map((version) => ({ version, path: find(version) })) : [])]
}

const makePlan = (invocation: Invocation, isContinuous: boolean, scratch: string): TestPlan => {
  const { environment, root } = invocation
  const machine: Machine = {
    path: environment['PATH'] ?? '',
    userId: process.getuid?.() ?? -1,
    labCache: environment['TAPPASS_LAB_CACHE'] || '/var/cache/tappass-lab',
  }
  const known = new Map<string, string | undefined>()
  const reasonAgainst = (needs: readonly string[]): string | undefined => {
    const key = needs.join(' ')
    if (!known.has(key)) known.set(key, unmet(needs, machine))
    return known.get(key)
  }
  return planTests({
    files: listTestFiles(root),
    reasonAgainst,
    nodes: chooseNodes(invocation, machine, isContinuous),
    only: textOption(invocation, 'only'),
    hasLab: !isGiven(invocation, 'no-lab'),
    scratch,
  })
}

const tell = ({ stdout }: Invocation, { check, tally, output, ms }: CheckResult): void => {
  const counts = check.tapFile === undefined ? '' : `: ${tally.passed} passed, ${tally.failed} failed`
  const failures = output.slice(Math.max(0, output.indexOf('✖ failing tests:')))
  if (tally.failed > 0) stdout.write(`\n${failures.trimEnd()}\n\n`)
  stdout.write(`${tally.failed > 0 ? '✖' : '✔'} ${check.name}${counts} (${(ms / 1000).toFixed(1)} s)\n`)
}

const runAll = async (invocation: Invocation, plan: TestPlan): Promise<readonly CheckResult[]> => {
  const isVerbose = isGiven(invocation, 'verbose')
  const hear = (text: string) => (isVerbose ? invocation.stderr.write(text) : undefined)
  const run = async (check: Check): Promise<CheckResult> => {
    invocation.stderr.write(`▸ ${check.name}\n`)
    const result = await runCheck(check, { ...invocation, hear })
    tell(invocation, result)
    return result
  }
  const results: CheckResult[] = [...(await Promise.all(plan.first.map(run)))]
  for (const check of plan.alone) if (!invocation.interrupt.aborted) results.push(await run(check))
  return results
}

/** Runs them; the last line on stdout is `N passed, N failed`. Under CI=true what is left out fails the run. */
export const run = async (invocation: Invocation): Promise<number> => {
  const { environment, stdout, interrupt } = invocation
  const isContinuous = /^(1|true)$/.test(environment['CI'] ?? '')
  const scratch = mkdtempSync(join(tmpdir(), 'tappass-test-'))
  try {
    const plan = makePlan(invocation, isContinuous, scratch)
    if (plan.first.length + plan.alone.length === 0) {
      throw usageFailure('nothing is left to run', `left out: ${plan.leftOut.join('; ')}`)
    }
    const total = sumTallies((await runAll(invocation, plan)).map(({ tally }) => tally))
    const leftOut = [...plan.leftOut, ...total.leftOut]
    if (interrupt.aborted) return EXIT_CODE.interrupted
    for (const line of leftOut) stdout.write(`left out: ${line}\n`)
    const failed = total.failed + (isContinuous ? leftOut.length : 0)
    if (isContinuous && leftOut.length > 0) stdout.write('under CI, what is left out counts as failed\n')
    stdout.write(`${total.passed} passed, ${failed} failed\n`)
    return failed === 0 ? EXIT_CODE.success : EXIT_CODE.failed
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
