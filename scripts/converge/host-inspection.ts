/** The inspection of a host before a run, in one round trip: preflight, lock, plan, and one-time secrets. */
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure, type FailureText } from '../core/failure.ts'
import type { GetFact } from '../core/host.ts'
import type { Resource } from '../core/resource.ts'
import { type FirstBoot, firstBootEndFact } from '../facts/first-boot.ts'
import { oneTimeSecretsFact } from '../secrets/one-time-secret.ts'
import type { HostSession } from '../session/host-session.ts'
import { NOTHING_FOUND, type StorageFindings } from '../storage/finding.ts'
import { type LockState, lockFact } from './host-lock.ts'
import { type Plan, planAll } from './plan.ts'
import { gatherPreflightFacts, type PreflightFacts, type PreflightSpec, preflightProblems } from './preflight.ts'

/** The result. `refused` has all reasons at once. */
export type HostInspection =
  | Readonly<{ status: 'refused'; reasons: readonly FailureText[] }>
  | Readonly<{ status: 'inspected'; plan: Plan; lock: LockState; oneTimeSecrets: readonly string[] }>

/** What an inspection needs besides: `nowMs` is the clock of the controller, `waiting` the text of `scripts/first-boot.sh`. */
export type InspectionContext = Readonly<{
  nowMs: () => number
  waiting: string
  /** Looks at storage that somebody else runs. */
  lookAtStorage?: () => Promise<StorageFindings>
}>

type InspectedHost = Pick<HostSession, 'connection' | 'freshFacts' | 'emit'>

const FIRST_BOOT_WAIT = {
  what: 'cloud-init is still setting up this host',
  why: 'it rewrites the sources of apt and host keys, and may start the machine anew',
  next: 'nothing to do: it is waited for, 10 minutes at most',
}

/** On a host that serves already, what went wrong at some start of the machine is not told again and again. */
function tellFirstBoot({ emit }: InspectedHost, { state, problem }: FirstBoot, isInstalled: boolean): void {
  if (isInstalled || !/error|degraded/.test(state)) return
  const why = problem === '' ? `it says: ${state}` : problem
  const next = 'the run goes on; see what is missing: cloud-init status --long   (on the host)'
  emit({ event: 'warning', warning: { what: 'cloud-init ended with an error', why, next } })
}

/** Runs the preflight without root privileges when sudo denied them, to report the other reasons too. */
async function refuseWithoutRoot(
  failure: Failure,
  getFact: GetFact,
  spec: PreflightSpec,
  { nowMs, waiting }: InspectionContext,
): Promise<HostInspection> {
  const facts = await gatherPreflightFacts(getFact, spec, waiting)
  // Only root can see the owner of a port, and it may be ours.
  const listeners = facts.listeners.filter(({ program }) => program !== '')
  const problems = preflightProblems({ ...facts, uid: 0, listeners }, spec, nowMs())
  return { status: 'refused', reasons: [failure.text, ...problems] }
}

/**
 * Inspects a host; all facts are requested in one turn, and once more when cloud-init was still at work. Throws when the host is
 * unreachable, and what a plan throws on a host that passed the preflight.
 */
export async function inspectHost(
  host: InspectedHost,
  resources: readonly Resource[],
  spec: PreflightSpec,
  context: InspectionContext,
  hasWaited = false,
): Promise<HostInspection> {
  const { connection, freshFacts, emit } = host
  const getFact = freshFacts(connection.run)
  const inspecting = Promise.all([getFact(lockFact), getFact(oneTimeSecretsFact), planAll(resources, getFact)])
  // Planning may fail on a host that the preflight refuses; the reasons of the preflight come first.
  inspecting.catch(() => undefined)
  const looking = context.lookAtStorage?.() ?? Promise.resolve(NOTHING_FOUND)
  looking.catch(() => undefined)
  let facts: PreflightFacts
  try {
    facts = await gatherPreflightFacts(getFact, spec, context.waiting)
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== EXIT_CODE.refused) throw error
    return await refuseWithoutRoot(error, freshFacts(connection.runAsUser), spec, context)
  }
  if (facts.firstBoot.state === 'running' && !hasWaited) {
    emit({ event: 'warning', warning: FIRST_BOOT_WAIT })
    await freshFacts(connection.run)(firstBootEndFact(context.waiting))
    const { refusals, warnings } = await looking
    const lookAtStorage = async () => ({ refusals, warnings })
    return await inspectHost(host, resources, spec, { ...context, lookAtStorage }, true)
  }
  tellFirstBoot(host, facts.firstBoot, facts.isInstalled)
  const storage = await looking
  for (const warning of storage.warnings) emit({ event: 'warning', warning })
  const problems = [...preflightProblems(facts, spec, context.nowMs()), ...storage.refusals]
  if (problems.length > 0) return { status: 'refused', reasons: problems }
  const [lock, oneTimeSecrets, plan] = await inspecting
  if (plan.refusals.length > 0) return { status: 'refused', reasons: plan.refusals }
  return { status: 'inspected', plan, lock, oneTimeSecrets }
}
