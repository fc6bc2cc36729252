/** Holds a run to a plan on file: before anything is changed all is as planned, and each step does what was planned or what the plan left to the run. */
import type { FailureText } from '../core/failure.ts'
import { type Failure, refusedFailure } from '../core/failure.ts'
import type { Change } from '../core/resource.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import type { Plan } from './plan.ts'
import { type AppliedChange, type AskedPaths, appliedChange, askedPathsOf, reaches } from './plan-reach.ts'
import { changeRecord, type HostPlan, hostPlanOf, type ResourceRecord } from './plan-record.ts'

/**
 * `differences` says how a plan that is made now differs from the one on file. `assertPlanned` throws a `Failure` (exit 5) for changes that the
 * plan does not cover. `noteApplied` tells what was done. `kept` returns what another process needs to go on with it.
 */
export type PlanContract = Readonly<{
  digest: string
  differences: (plan: Plan) => readonly FailureText[]
  assertPlanned: (resource: string, changes: readonly Change[]) => void
  noteApplied: (resource: string, changes: readonly Change[]) => void
  kept: () => Readonly<{ plan: KeptPlan; progress: ContractProgress }>
}>

/** A plan on file, for one host. `next` is what to type to make another one. */
export type KeptPlan = Readonly<{ planned: HostPlan; salt: string; digest: string; next: string }>

/** How far a run has come: what was done, and what each resource had asked when it was planned. */
export type ContractProgress = Readonly<{
  applied: readonly AppliedChange[]
  done: readonly string[]
  asked: Readonly<Record<string, readonly AskedPaths[]>>
}>

type Rows = Readonly<Record<string, string>>

/** Returns lines such as `gateway.callsMax: planned 100, now 200`. */
function rowDifferences(planned: Rows, now: Rows): readonly string[] {
  const names = [...new Set([...Object.keys(planned), ...Object.keys(now)])]
  return names
    .filter((name) => planned[name] !== now[name])
    .map((name) => `${name}: planned ${planned[name] ?? 'nothing'}, now ${now[name] ?? 'nothing'}`)
}

function actionsOf(changes: readonly Pick<Change, 'action'>[]): string {
  return changes.length === 0 ? 'no change' : changes.map(({ action }) => action).join('; ')
}

function isSame(planned: readonly Readonly<{ sha256: string }>[], now: readonly Readonly<{ sha256: string }>[]) {
  return planned.length === now.length && planned.every(({ sha256 }, index) => sha256 === now[index]?.sha256)
}

function changeDifference(planned: ResourceRecord, now: ResourceRecord): readonly string[] {
  if (isSame(planned.changes, now.changes)) return []
  const [before, after] = [actionsOf(planned.changes), actionsOf(now.changes)]
  return [
    before === after ? `${before}: the same, with other commands or content` : `planned: ${before}; now: ${after}`,
  ]
}

function resourceDifferences(planned: HostPlan, now: HostPlan, next: string): readonly FailureText[] {
  const empty = (resource: string): ResourceRecord => ({ resource, facts: {}, changes: [] })
  const byId = (plan: HostPlan) => new Map(plan.resources.map((each) => [each.resource, each]))
  const [before, after] = [byId(planned), byId(now)]
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((id): readonly FailureText[] => {
    const [one, other] = [before.get(id) ?? empty(id), after.get(id) ?? empty(id)]
    const lines = [...changeDifference(one, other), ...rowDifferences(one.facts, other.facts)]
    return lines.length === 0 ? [] : [{ what: `${id} is not as planned`, why: lines.join('\n         '), next }]
  })
}

/** Returns how two plans of a host differ: the specification, and each resource. */
export function planDifferences(planned: HostPlan, now: HostPlan, next: string): readonly FailureText[] {
  const settings = rowDifferences(planned.spec, now.spec)
  const what = 'the specification is not the planned one'
  return [
    ...(settings.length === 0 ? [] : [{ what, why: settings.join('\n         '), next }]),
    ...resourceDifferences(planned, now, next),
  ]
}

function unplanned(
  id: string,
  planned: readonly Pick<Change, 'action'>[],
  now: readonly Change[],
  next: string,
): Failure {
  const why = `planned: ${actionsOf(planned)}; now: ${actionsOf(now)}; no change of this run explains that`
  return refusedFailure(`${id} has become another one than planned during the run, which stops before it`, why, next)
}

function askedOf({ asked }: Plan): ContractProgress['asked'] {
  return Object.fromEntries([...asked].map(([id, facts]) => [id, facts.map(askedPathsOf)]))
}

/**
 * Returns the contract of a run with a plan on file. `spec` is the specification of the run; with `progress` it goes on with one: what was done by then, and what
 * that has reached, may differ from the plan.
 */
export function createPlanContract(plan: KeptPlan, spec: HostSpec, progress?: ContractProgress): PlanContract {
  const { planned, salt, digest, next } = plan
  const applied: AppliedChange[] = [...(progress?.applied ?? [])]
  const done = new Set<string>(progress?.done)
  let { asked = {} }: Partial<ContractProgress> = progress ?? {}
  const recordOf = new Map(planned.resources.map((each) => [each.resource, each]))
  const isOpen = (id: string) =>
    planned.duringRun.includes(id) && applied.some((each) => each.resource !== id && reaches(each, asked[id] ?? []))
  const isHeld = ({ resource }: ResourceRecord) => !done.has(resource) && !isOpen(resource)
  return {
    digest,
    differences: (current) => {
      if (progress === undefined) asked = askedOf(current)
      const held = (all: HostPlan): HostPlan => ({ ...all, resources: all.resources.filter(isHeld) })
      return planDifferences(held(planned), held(hostPlanOf(current, spec, salt)), next)
    },
    assertPlanned: (id, changes) => {
      const expected = done.has(id) ? [] : (recordOf.get(id)?.changes ?? [])
      if (isSame(expected, changes.map(changeRecord)) || isOpen(id)) return
      throw unplanned(id, expected, changes, next)
    },
    noteApplied: (resource, changes) => {
      done.add(resource)
      applied.push(appliedChange(resource, changes))
    },
    kept: () => ({ plan, progress: { applied, done: [...done], asked } }),
  }
}
