/** The first look at a host, in one round trip: may it be changed, is somebody at it, what does it lack. */
import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure, type FailureText } from '../core/failure.ts'
import type { Connection, Know } from '../core/host.ts'
import type { Resource } from '../core/resource.ts'
import { unshownFact } from '../secrets/one-time-secret.ts'
import type { WrittenSpec } from '../spec/host-spec.ts'
import { type LockState, lockFact } from './host-lock.ts'
import { type Plan, planAll } from './plan.ts'
import { type Circumstances, lookAround, preflightFaults } from './preflight.ts'

/** `refused` has every reason at once, and nothing else was looked at then. */
export type Survey =
  | Readonly<{ status: 'refused'; reasons: readonly FailureText[] }>
  | Readonly<{ status: 'surveyed'; plan: Plan; lock: LockState; unshown: readonly string[] }>

/** Looks with a user's rights where root's were refused, to give the other reasons too. */
async function refuseRoot(
  failure: Failure,
  know: Know,
  limits: WrittenSpec['preflight'],
  nowMs: () => number,
): Promise<Survey> {
  const seen = await lookAround(know)
  // Whose a port is only root can see, and it may be ours.
  const listeners = seen.listeners.filter(({ program }) => program !== '')
  const faults = preflightFaults({ ...seen, uid: 0, listeners }, limits, nowMs())
  return { status: 'refused', reasons: [failure.text, ...faults] }
}

/**
 * `look` makes a `Know` of a runner. All of it is asked in one turn. Throws when the host can't be reached, and what a plan throws
 * on a host that passed.
 */
export async function survey(
  connection: Connection,
  look: (run: Connection['run']) => Know,
  resources: readonly Resource[],
  limits: WrittenSpec['preflight'],
  nowMs: () => number,
): Promise<Survey> {
  const know = look(connection.run)
  const looking = Promise.all([know(lockFact), know(unshownFact), planAll(resources, know)])
  // A host that is refused may well fail to be planned; its reasons come first.
  looking.catch(() => undefined)
  let seen: Circumstances
  try {
    seen = await lookAround(know)
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== EXIT_CODE.refused) throw error
    return await refuseRoot(error, look(connection.runAsUser), limits, nowMs)
  }
  const faults = preflightFaults(seen, limits, nowMs())
  if (faults.length > 0) return { status: 'refused', reasons: faults }
  const [lock, unshown, plan] = await looking
  if (plan.refusals.length > 0) return { status: 'refused', reasons: plan.refusals }
  return { status: 'surveyed', plan, lock, unshown }
}
