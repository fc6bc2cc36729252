/** What `tappass test` runs on this machine, and what it leaves out and why; a pure choice over what was found. */
import { matchesGlob } from 'node:path'
import type { Check } from './check.ts'
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

/** `first` run side by side, `alone` one after the other, since they are heavy or share the machine. */
export type TestPlan = Readonly<{ first: readonly Check[]; alone: readonly Check[]; leftOut: readonly string[] }>

const testTimeoutMs = 300_000

/** A test that ends its process would take the tests after it along unseen: whatever code it asks for, it gets 1. */
const exitGuard = 'data:text/javascript,const exit=process.exit;process.exit=()=>exit(1)'

const nodeTest = (
  name: string,
  node: string,
  files: readonly TestFile[],
  tapFile: string,
  concurrency: number,
): Check => ({
  name,
  tapFile,
  argv: [
    node,
    '--import',
    exitGuard,
    '--test',
    `--test-concurrency=${concurrency}`,
    ...(concurrency > 1 ? [`--test-timeout=${testTimeoutMs}`] : []),
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${tapFile}`,
    ...files.map(({ path }) => path),
  ],
})

const gates = (node: string): readonly Check[] => [
  { name: 'format and lint (biome)', argv: [node, 'node_modules/@biomejs/biome/bin/biome', 'check', '.'] },
  { name: 'types (tsc)', argv: [node, 'node_modules/typescript/bin/tsc', '--noEmit'] },
]

const isLab = ({ needs }: TestFile): boolean => needs.includes('lab')

/** Groups what is left out by its reason, so that each reason stands once; files that nobody asked for are only counted. */
const explain = (refused: readonly Readonly<{ path: string; reason: string }>[]): readonly string[] =>
  [...Map.groupBy(refused, ({ reason }) => reason)].map(([reason, files]) =>
    reason.startsWith('--only')
      ? `${files.length} other test files: ${reason}`
      : `${files.map(({ path }) => path).join(', ')}: ${reason}`,
  )

/** Chooses. Every file of the tree either runs or stands in `leftOut`. */
export const planTests = (wish: TestWish): TestPlan => {
  const { files, only, hasLab, nodes, scratch } = wish
  const judged = files.map((file) => {
    if (only !== undefined && !matchesGlob(file.path, only)) return { ...file, reason: `--only ${only}` }
    return { ...file, reason: isLab(file) && !hasLab ? '--no-lab' : wish.reasonAgainst(file.needs) }
  })
  const fit = judged.filter(({ reason }) => reason === undefined)
  const [unit, lab] = [fit.filter((file) => !isLab(file)), fit.filter(isLab)]
  const running = nodes[0]?.path ?? 'node'
  const unitOn = nodes.flatMap(({ version, path }) =>
    path === undefined || unit.length === 0
      ? []
      : [nodeTest(`tests on Node ${version}`, path, unit, `${scratch}/${version}.tap`, 2)],
  )
  const refused = judged.flatMap(({ path, reason }) => (reason === undefined ? [] : [{ path, reason }]))
  return {
    first: [...(only === undefined ? gates(running) : []), ...unitOn.slice(0, 1)],
    alone: [
      ...unitOn.slice(1),
      ...(lab.length === 0 ? [] : [nodeTest('lab (booted machines)', running, lab, `${scratch}/lab.tap`, 1)]),
    ],
    leftOut: [
      ...(only === undefined ? [] : [`format, lint and types: --only ${only}`]),
      ...nodes.flatMap(({ version, path }) =>
        path === undefined ? [`tests on Node ${version}: it was not found; test/lab/prepare brings it`] : [],
      ),
      ...explain(refused),
    ],
  }
}
