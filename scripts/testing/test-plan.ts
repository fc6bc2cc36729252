/** What `tappass test` runs on this machine, and what it leaves out and why; a pure choice over what was found. */
import { matchesGlob } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Check } from './check.ts'
import { BARE_NEEDS } from './need.ts'
import type { TestFile } from './test-file.ts'

/** A Node to run the unit tests on; `path` is undefined when it was not found. */
export type NodeChoice = Readonly<{ version: string; path: string | undefined }>

/** What the choice is made from. `reasonAgainst` says why a test's needs are not met. */
export type TestWish = Readonly<{
  files: readonly TestFile[]
  reasonAgainst: (needs: readonly string[]) => string | undefined
  nodes: readonly NodeChoice[]
  only: string | undefined
  hasLab: boolean
  scratch: string
}>

/** `first` run side by side, `alone` one after the other, since each uses all of the machine. */
export type TestPlan = Readonly<{ first: readonly Check[]; alone: readonly Check[]; leftOut: readonly string[] }>

const TEST_TIMEOUT_MS = 300_000

/** Files that run at once. They wait often, for processes, packages, services, the boot of a machine and the end of a watch: two leave a part of two cores idle. */
const CONCURRENCY = 3

/** How long a test file may go on after its last test. */
const LINGER_MS = 120_000

/**
 * Gives what each test process imports first. A test that ends its process would take the tests after it along unseen: whatever
 * code it asks for, it gets 1. What a test left open would keep its process, and with it the run, for ever: it is ended, and has failed.
 */
export function guardModule(lingerMs: number): string {
  const text = `import { after } from 'node:test'
const exit = process.exit
process.exit = () => exit(1)
const end = () => { console.error('ended: something is still open ${lingerMs} ms after the last test'); exit(1) }
if (process.env.NODE_TEST_CONTEXT) after(() => void setTimeout(end, ${lingerMs}).unref())`
  return `data:text/javascript,${encodeURIComponent(text)}`
}

const RUNNER = fileURLToPath(new URL('./run-files.ts', import.meta.url))

type TestGroup = Readonly<{
  name: string
  node: NodeChoice
  files: readonly TestFile[]
  reportFile: string
  /** How long one test may take, in milliseconds; undefined where a machine is booted and the test has deadlines of its own. */
  timeoutMs?: number
}>

function planGroup({ name, node, files, reportFile, timeoutMs }: TestGroup): Check {
  return {
    name,
    tests: { node: node.version, reportFile },
    argv: [
      node.path ?? 'node',
      ...[RUNNER, `${CONCURRENCY}`, `${timeoutMs ?? 0}`, reportFile, guardModule(LINGER_MS)],
      ...files.toSorted((a, b) => b.minutes - a.minutes).map(({ path }) => path),
    ],
  }
}

function planGates(node: string): readonly Check[] {
  return [
    { name: 'format and lint (biome)', argv: [node, 'node_modules/@biomejs/biome/bin/biome', 'check', '.'] },
    { name: 'types (tsc)', argv: [node, 'node_modules/typescript/bin/tsc', '--noEmit'] },
  ]
}

function isLab({ needs }: TestFile): boolean {
  return needs.includes('lab')
}

/** Groups what is left out by its reason, so that each reason stands once; files that nobody asked for are only counted. */
function explainOmissions(omitted: readonly Readonly<{ path: string; reason: string }>[]): readonly string[] {
  return [...Map.groupBy(omitted, ({ reason }) => reason)].map(([reason, files]) =>
    reason.startsWith('--only')
      ? `${files.length} other test files: ${reason}`
      : `${files.map(({ path }) => path).join(', ')}: ${reason}`,
  )
}

/** Runs all that a bare machine can run, on the older Node. */
const BARE_TEST = 'test/lab/bare-machine.test.ts'

/**
 * What an older Node runs here: not what says that one Node is enough; and where the lab has the bare machine, what that can run is run
 * there, and once is enough.
 */
function filesOfOlderNode(unit: readonly TestFile[], lab: readonly TestFile[]): readonly TestFile[] {
  const either = unit.filter(({ isOnOneNode }) => !isOnOneNode)
  if (!lab.some(({ path }) => path === BARE_TEST)) return either
  return either.filter(({ needs }) => needs.some((need) => !BARE_NEEDS.includes(need)))
}

/** Chooses. Every file of the tree either runs or stands in `leftOut`. */
export function planTests(wish: TestWish): TestPlan {
  const { files, only, hasLab, nodes, scratch } = wish
  const judged = files.map((file) => {
    if (only !== undefined && !matchesGlob(file.path, only)) return { ...file, reason: `--only ${only}` }
    return { ...file, reason: isLab(file) && !hasLab ? '--no-lab' : wish.reasonAgainst(file.needs) }
  })
  const fit = judged.filter(({ reason }) => reason === undefined)
  const [unit, lab] = [fit.filter((file) => !isLab(file)), fit.filter(isLab)]
  const running = nodes[0]
  const unitOn = nodes.flatMap((node, index) => {
    const files = index === 0 ? unit : filesOfOlderNode(unit, lab)
    if (node.path === undefined || files.length === 0) return []
    const reportFile = `${scratch}/${node.version}.jsonl`
    return [planGroup({ name: `tests on Node ${node.version}`, node, files, reportFile, timeoutMs: TEST_TIMEOUT_MS })]
  })
  const labOn =
    lab.length === 0 || running === undefined
      ? []
      : [
          planGroup({
            name: 'lab (booted machines)',
            node: running,
            files: lab,
            reportFile: `${scratch}/lab.jsonl`,
          }),
        ]
  const omitted = judged.flatMap(({ path, reason }) => (reason === undefined ? [] : [{ path, reason }]))
  return {
    first: [...(only === undefined ? planGates(running?.path ?? 'node') : []), ...unitOn.slice(0, 1)],
    alone: [...unitOn.slice(1), ...labOn],
    leftOut: [
      ...(only === undefined ? [] : [`format, lint and types: --only ${only}`]),
      ...nodes.flatMap(({ version, path }) =>
        path === undefined ? [`tests on Node ${version}: it was not found; test/lab/prepare brings it`] : [],
      ),
      ...explainOmissions(omitted),
    ],
  }
}
