/** The inspection of a host before a run, in one round trip: preflight, lock, plan, and one-time secrets. */
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure, type FailureText } from '../core/failure.ts'
import type { Connection, GetFact } from '../core/host.ts'
import type { Resource } from '../core/resource.ts'
import { oneTimeSecretsFact } from '../secrets/one-time-secret.ts'
import { type LockState, lockFact } from './host-lock.ts'
import { type Plan, planAll } from './plan.ts'
import { gatherPreflightFacts, type PreflightFacts, type PreflightSpec, preflightProblems } from './preflight.ts'

/** The result. `refused` has all reasons at once. */
export type HostInspection =
  | Readonly<{ status: 'refused'; reasons: readonly FailureText[] }>
  | Readonly<{ status: 'inspected'; plan: Plan; lock: LockState; oneTimeSecrets: readonly string[] }>

/** Runs the preflight without root privileges when sudo denied them, to report the other reasons too. */
async function refuseWithoutRoot(
  failure: Failure,
  getFact: GetFact,
  spec: PreflightSpec,
  nowMs: () => number,
): Promise<HostInspection> {
  const facts = await gatherPreflightFacts(getFact, spec)
  // Only root can see the owner of a port, and it may be ours.
  const listeners = facts.listeners.filter(({ program }) => program !== '')
  const problems = preflightProblems({ ...facts, uid: 0, listeners }, spec, nowMs())
  return { status: 'refused', reasons: [failure.text, ...problems] }
}

/**
 * Inspects a host; all facts are requested in one turn. `freshFacts` creates a fact reader over a runner. Throws when the host is
 * unreachable, and what a plan throws on a host that passed the preflight.
 */
export async function inspectHost(
  connection: Connection,
  freshFacts: (run: Connection['run']) => GetFact,
  resources: readonly Resource[],
  spec: PreflightSpec,
  nowMs: () => number,
): Promise<HostInspection> {
  const getFact = freshFacts(connection.run)
  const inspecting = Promise.all([getFact(lockFact), getFact(oneTimeSecretsFact), planAll(resources, getFact)])
  // Planning may fail on a host that the preflight refuses; the reasons of the preflight come first.
  inspecting.catch(() => undefined)
  let facts: PreflightFacts
  try {
    facts = await gatherPreflightFacts(getFact, spec)
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== EXIT_CODE.refused) throw error
    return await refuseWithoutRoot(error, freshFacts(connection.runAsUser), spec, nowMs)
  }
  const problems = preflightProblems(facts, spec, nowMs())
  if (problems.length > 0) return { status: 'refused', reasons: problems }
  const [lock, oneTimeSecrets, plan] = await inspecting
  if (plan.refusals.length > 0) return { status: 'refused', reasons: plan.refusals }
  return { status: 'inspected', plan, lock, oneTimeSecrets }
}
