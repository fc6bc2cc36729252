/** Counting what test runners say, so that nothing that crashed, hung or vanished counts as passed. */
import type { EndLine, TestLine } from './test-reporter.ts'

/** How one test went. `id` is the same on every Node that runs it, `reason` says why it was left out. */
export type TestResult = Readonly<{ id: string; outcome: TestLine['outcome']; reason?: string }>

/** How many tests passed and failed; `leftOut` names what did not run, and why. */
export type Tally = Readonly<{ passed: number; failed: number; leftOut: readonly string[] }>

/** What a run of tests came to: its results, and how long each test file took. */
export type TestRun = Readonly<{
  results: readonly TestResult[]
  files: readonly Readonly<{ path: string; ms: number }>[]
}>

/** Lines that a killed runner cut off are no lines. */
function parseLines(report: string): readonly (TestLine | EndLine)[] {
  return report.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as TestLine | EndLine]
    } catch {
      return []
    }
  })
}

/**
 * Reads the report of a run and its exit code (null after a signal). A run that did not come to its end, had no test, or
 * ended badly though no test failed, has a failure more, named after the run.
 */
export function readReport(name: string, report: string, exitCode: number | null): TestRun {
  const lines = parseLines(report)
  const seen = new Map<string, number>()
  const results: TestResult[] = []
  for (const line of lines) {
    if (line.kind !== 'test') continue
    const { at, names, outcome, reason } = line
    const title = `${at}: ${names.join(' › ')}`
    // Two tests of one name are two tests: the second has a number.
    const count = (seen.get(title) ?? 0) + 1
    seen.set(title, count)
    const id = count === 1 ? title : `${title} (${count})`
    results.push({ id, outcome, ...(reason === undefined ? {} : { reason }) })
  }
  const hasEnd = lines.some(({ kind }) => kind === 'end')
  const hasFailure = results.some(({ outcome }) => outcome === 'failed')
  if (!hasEnd || results.length === 0 || (exitCode !== 0 && !hasFailure)) {
    results.push({ id: `${name} came to its end`, outcome: 'failed' })
  }
  return { results, files: lines.flatMap((line) => (line.kind === 'file' ? [line] : [])) }
}

/** A check that either holds or doesn't. */
export function readExit(name: string, exitCode: number | null): TestRun {
  return { results: [{ id: name, outcome: exitCode === 0 ? 'passed' : 'failed' }], files: [] }
}

/** A test that ran several times is one test: it has failed when it failed once, and passed when it passed and never failed. */
export function tallyResults(results: readonly TestResult[]): Tally {
  const tally = { passed: 0, failed: 0, leftOut: [] as string[] }
  for (const [id, runs] of Map.groupBy(results, (result) => result.id)) {
    const outcomes = new Set(runs.map(({ outcome }) => outcome))
    if (outcomes.has('failed')) tally.failed += 1
    else if (outcomes.has('passed')) tally.passed += 1
    else tally.leftOut.push(`${id}: ${runs[0]?.reason}`)
  }
  return tally
}

/** What ran where: the results of each run of tests, and the version of the Node that it ran on. */
export type NodeRun = Readonly<{ node: string; results: readonly TestResult[] }>

/** Gives a line for each set of Nodes that tests ran on: `7 tests on Node 26.10.0 and 24.21.0`. A test is counted once. */
export function describeNodes(runs: readonly NodeRun[]): readonly string[] {
  const nodes = new Map<string, Set<string>>()
  for (const { node, results } of runs) {
    for (const { id, outcome } of results) {
      if (outcome === 'left out') continue
      nodes.set(id, (nodes.get(id) ?? new Set()).add(node))
    }
  }
  const groups = Map.groupBy(nodes.values(), (on) => [...on].join(' and '))
  return [...groups].map(([on, tests]) => `${tests.length} tests on Node ${on}`)
}
