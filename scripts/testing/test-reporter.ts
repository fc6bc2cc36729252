/**
 * What `node --test` writes for `tappass test` to count: one JSON line for each test, file and defect. The runner loads it
 * in a process of its own, by its path.
 */
import { relative } from 'node:path'

/** How a test went, under the names of its suites and its own. `at` is the file that declares it, relative to the folder that the runner runs in. */
export type TestLine = Readonly<{
  kind: 'test'
  at: string
  names: readonly string[]
  outcome: 'passed' | 'failed' | 'left out'
  reason?: string
}>

/** A file that came to its end, or the whole run. */
export type EndLine = Readonly<{ kind: 'file'; path: string; ms: number }> | Readonly<{ kind: 'end' }>

/** The part of the runner's events that is read here. */
export type RunnerEvent = Readonly<{
  type: string
  data: Readonly<{
    name?: string
    nesting?: number
    file?: string
    skip?: string | boolean
    todo?: string | boolean
    duration_ms?: number
    details?: Readonly<{ type?: string; error?: Readonly<{ failureType?: string }> }>
  }>
}>

function describeOmission({ skip, todo }: RunnerEvent['data']): string | undefined {
  const mark = skip ?? todo
  if (mark === undefined || mark === false) return undefined
  return mark === true || mark === '' ? 'skipped' : mark
}

/** A suite is no test: only its own defect counts, a hook that failed. */
function outcomeOf({ type, data }: RunnerEvent): TestLine['outcome'] | undefined {
  const isPass = type === 'test:pass'
  if (data.details?.type === 'suite') {
    return isPass || data.details.error?.failureType === 'subtestsFailed' ? undefined : 'failed'
  }
  if (describeOmission(data) !== undefined) return 'left out'
  // A file that reports no test is taken by the runner for a test that passed.
  const isHollow = data.nesting === 0 && data.file?.endsWith(`/${data.name}`) === true
  return isPass && !isHollow ? 'passed' : 'failed'
}

/** Turns the runner's events into lines of JSON (`TestLine`, `EndLine`); the last one says that the run came to its end. */
export async function* reportTests(events: AsyncIterable<RunnerEvent>): AsyncGenerator<string> {
  const names: string[] = []
  for await (const event of events) {
    const { file = '', name = '', nesting = 0, duration_ms: ms = 0 } = event.data
    if (event.type === 'test:start') names.splice(nesting, names.length, name)
    if (event.type === 'test:summary' && file !== '')
      yield `${JSON.stringify({ kind: 'file', path: relative('', file), ms })}\n`
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const outcome = outcomeOf(event)
    if (outcome === undefined) continue
    const reason = outcome === 'left out' ? { reason: describeOmission(event.data) } : {}
    const line = { kind: 'test', at: relative('', file), names: [...names.slice(0, nesting), name], outcome, ...reason }
    yield `${JSON.stringify(line)}\n`
  }
  yield `${JSON.stringify({ kind: 'end' })}\n`
}
