/** A look for drift: plans what the last run would do again, and finds out since when and by whom. It changes nothing. */
import { HOST_PATH } from '../../contract/path.ts'
import { lockFact } from '../converge/host-lock.ts'
import { type KeptRun, lastKeptRun, missingInputs, specOfRun, toolDifference } from '../converge/kept-run.ts'
import { assertUnlocked, type LockHolder } from '../converge/lock-lease.ts'
import { type Plan, planAll, plannedChanges } from '../converge/plan.ts'
import type { GetFact } from '../core/host.ts'
import type { Resource } from '../core/resource.ts'
import { contentFact } from '../facts/path.ts'
import { entryName, type Generation, type History, outcomeOf, verifyHistory } from '../history/entry.ts'
import { historyFact, historyHeadFact } from '../history/history-fact.ts'
import { type DriftFinding, type DriftRecord, parseDriftRecord } from '../output/drift-record.ts'
import type { PlannedChange } from '../output/event.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { changeTime, type RunSpan, whoChanged } from './culprit.ts'
import { subjectOf } from './subject.ts'
import { sessionsFact, timesFact } from './trace.ts'

/** `freshFacts` creates a fact reader; `specFrom` reads the settings of a host, `resourcesOf` is the recipe. `nowMs` is the host's clock as well as it is known. */
export type DriftCheckContext = Readonly<{
  freshFacts: () => GetFact
  holder: LockHolder
  specFrom: (settings: string) => Promise<HostSpec>
  resourcesOf: (spec: HostSpec) => readonly Resource[]
  nowMs: () => number
}>

/** What a look has found; `spec` is that of the last run, where the host was compared with it. */
export type DriftCheck = Readonly<{ record: DriftRecord; resources: number; spec?: HostSpec }>

function headOf({ generations }: History): string {
  const last = generations.at(-1)
  return last === undefined ? '' : entryName(last.end ?? last.begun)
}

/** Something that no plan can be made for is not as the last run left it either. */
function changesOf(plan: Plan): readonly PlannedChange[] {
  const refused = plan.refusals.map(({ what, where = what, why = what }) => ({
    ...{ resource: where, action: 'nothing: it is refused', reason: `${what}: ${why}` },
  }))
  return [...plannedChanges(plan), ...refused]
}

function spansOf(generations: readonly Generation[]): readonly RunSpan[] {
  return generations.flatMap(({ number, begun, end }) =>
    end === undefined ? [] : [{ number, from: Date.parse(begun.at) / 1000, until: Date.parse(end.at) / 1000 }],
  )
}

async function findingsOf(
  getFact: GetFact,
  changes: readonly PlannedChange[],
  {
    generations,
    before,
    at,
  }: Readonly<{ generations: readonly Generation[]; before: DriftRecord | undefined; at: string }>,
): Promise<readonly DriftFinding[]> {
  if (changes.length === 0) return []
  const subjects = changes.map(subjectOf)
  const times = await getFact(timesFact(subjects))
  const changed = subjects.map((subject) => changeTime(subject, times))
  const known = changed.filter((each) => each !== undefined)
  const sessions = known.length === 0 ? [] : await getFact(sessionsFact(known))
  const traces = { times, sessions, runs: spansOf(generations) }
  return changes.map(({ resource, action, reason }, index) => {
    const seen = before?.findings.find((each) => each.resource === resource && each.action === action)
    const time = changed[index]
    return {
      ...{ resource, action, reason, seenAt: seen?.seenAt ?? at },
      ...(time === undefined ? {} : { changedAt: new Date(time * 1000).toISOString() }),
      who: whoChanged(subjects[index] ?? { paths: [], words: [], packages: [] }, time, traces),
    }
  })
}

/** Why the host is not put back by itself, whatever differs: what came after the run was meant, or is half done. */
function laterRun({ generation: { number } }: KeptRun, generations: readonly Generation[]): readonly string[] {
  const last = generations.at(-1)
  if (last === undefined || last.number === number) return []
  return [
    `run ${last.number} came after run ${number} (${outcomeOf(last)}), and left something else on purpose or half done`,
  ]
}

/** Returns what a look finds. Throws a `Failure` (exit 4) while a run changes the host. */
export async function checkDrift({
  freshFacts,
  holder,
  specFrom,
  resourcesOf,
  nowMs,
}: DriftCheckContext): Promise<DriftCheck> {
  const first = freshFacts()
  const [lock, raw, text] = await Promise.all([
    first(lockFact),
    first(historyFact),
    first(contentFact(`${HOST_PATH.driftFolder}/last.json`)),
  ])
  assertUnlocked(holder, lock)
  const history = verifyHistory(raw)
  const before = parseDriftRecord(text)
  const at = new Date(nowMs()).toISOString().replace(/\.\d+Z$/, 'Z')
  const about = { at, check: before?.check ?? 'daily', head: headOf(history), findings: [], obstacles: [] }
  const problem = (why: string): DriftCheck => ({ record: { ...about, problem: why }, resources: 0 })
  if (history.problems.length > 0) return problem(`the chain of the log is broken at ${history.problems[0]}`)
  const base = await lastKeptRun(first, history.generations)
  if (base === undefined) return problem('no run of this release has reached its end here')
  const spec = await specOfRun(base, specFrom)
  const difference = toolDifference(base, spec)
  if (difference !== undefined) return problem(difference)
  const resources = resourcesOf(spec)
  const planning = freshFacts()
  const plan = await planAll(resources, planning)
  const after = freshFacts()
  const [nowLocked, later] = await Promise.all([after(lockFact), after(historyHeadFact)])
  assertUnlocked(holder, nowLocked)
  // A run that began and ended meanwhile: what was planned is of no state that there ever was.
  if (later !== about.head) return problem('a run was made during the look')
  const findings = await findingsOf(planning, changesOf(plan), { generations: history.generations, before, at })
  const obstacles = [
    ...laterRun(base, history.generations),
    ...plan.refusals.map(({ what }) => what),
    ...missingInputs(plan).map(({ what }) => what),
  ]
  const record = { ...about, check: spec.drift.check, run: base.generation.number, findings: [...findings], obstacles }
  return { record, resources: resources.length, spec }
}
