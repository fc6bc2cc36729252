/** A bootstrap run on one host: inspect, confirm, lock, converge, and show one-time secrets. */
import { hostname, userInfo } from 'node:os'
import { commandHint, hostCommandHint, typedVerb } from '../command-line/command-hint.ts'
import type { Confirm } from '../command-line/confirmation.ts'
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import { Failure, type FailureText } from '../core/failure.ts'
import { identifyProcess, processSpaceId, readProcessSpace, stateOfProcess } from '../core/process-identity.ts'
import type { Resource } from '../core/resource.ts'
import { markShownCommand, oneTimeSecretsFact, showSecretCommand } from '../secrets/one-time-secret.ts'
import type { HostResult, HostSession } from '../session/host-session.ts'
import type { StorageFindings } from '../storage/finding.ts'
import { type HostInspection, inspectHost } from './host-inspection.ts'
import { assertUnlocked, type LockHolder } from './lock-lease.ts'
import { convergeLocked, type HandOver } from './locked-run.ts'
import { type Plan, plannedChanges } from './plan.ts'
import type { PlanContract } from './plan-contract.ts'
import type { PreflightSpec } from './preflight.ts'
import type { RunHistory } from './run-history.ts'

/** This run as the holder of a host's lock. */
export function lockHolderOf(invocation: Invocation, { run, freshFacts, emit, nonce }: HostSession): LockHolder {
  const { pid, start } = identifyProcess(process.pid)
  const processSpace = processSpaceId(readProcessSpace())
  return {
    run,
    freshFacts,
    emit,
    owner: {
      token: nonce(),
      owner: userInfo().username,
      verb: invocation.verb.name,
      controller: hostname(),
      ...(processSpace === undefined ? {} : { processSpace }),
      pid,
      pidStart: start,
      startedAt: new Date(invocation.nowMs()).toISOString(),
    },
    stateOfOwner: ({ pid: ownerPid, pidStart }) => stateOfProcess({ pid: ownerPid, start: pidStart }),
    retryCommand: commandHint(invocation, typedVerb(invocation)),
    attachCommand: hostCommandHint(invocation, 'attach'),
  }
}

/**
 * Shows each secret, then removes its marker on the host: if the toolkit is killed in between, the next run shows it again. With `--json`
 * (what programs read is kept in their logs) it is only named, and stays to be shown.
 */
async function showOneTimeSecrets(invocation: Invocation, { run, emit, target }: HostSession, ids: readonly string[]) {
  for (const id of ids) {
    if (isGiven(invocation, 'json')) {
      emit({ event: 'secret', id, next: `show it once, without --json: ${hostCommandHint(invocation, 'bootstrap')}` })
      continue
    }
    const { code, stdout, stderr } = await run(showSecretCommand(id))
    if (code !== 0)
      throw new Failure({
        what: `cannot read the secret ${id}`,
        where: target.name,
        why: stderr.trim() || 'another run has taken over the lock',
        next: commandHint(invocation, typedVerb(invocation)),
      })
    const where = target.address === undefined ? '' : ` of ${target.name}`
    invocation.stderr.write(`The ${id}${where} is shown only once; store it now:\n`)
    invocation.stdout.write(`${stdout.trimEnd()}\n`)
    await run(markShownCommand(id))
  }
}

/**
 * `waiting` is the text of `scripts/first-boot.sh`; with `contract` nothing else is done than a plan on file says, and with `refusals` nothing of a plan that
 * has some. With `history` the run is noted on the host. `isUnattended`: nobody is there to be shown a secret.
 */
export type HostRunContext = Readonly<{
  confirm: Confirm
  waiting: string
  lookAtStorage?: () => Promise<StorageFindings>
  contract?: PlanContract | undefined
  refusals?: (plan: Plan) => readonly FailureText[]
  history?: RunHistory
  isUnattended?: boolean
  handOver?: HandOver
}>

function reasonsOf(inspection: HostInspection, { contract, refusals }: HostRunContext): readonly FailureText[] {
  if (inspection.status === 'refused') return inspection.reasons
  return [...(contract?.differences(inspection.plan) ?? []), ...(refusals?.(inspection.plan) ?? [])]
}

/** Brings the host to the desired state. Throws a `Failure` when the host is locked or unreachable, or the changes cannot be confirmed. */
export async function runHost(
  invocation: Invocation,
  host: HostSession,
  resources: readonly Resource[],
  spec: PreflightSpec,
  context: HostRunContext,
): Promise<HostResult> {
  const { confirm, waiting, lookAtStorage, isUnattended = false } = context
  const inspection = await inspectHost(host, resources, spec, {
    nowMs: invocation.nowMs,
    waiting,
    ...(lookAtStorage === undefined ? {} : { lookAtStorage }),
  })
  const reasons = reasonsOf(inspection, context)
  if (inspection.status === 'refused' || reasons.length > 0) {
    host.emit({ event: 'refused', reasons })
    return { outcome: 'refused', applied: 0, remaining: 0 }
  }
  const holder = lockHolderOf(invocation, host)
  assertUnlocked(holder, inspection.lock)
  const changes = plannedChanges(inspection.plan)
  host.emit({ event: 'plan', resources: resources.length, changes })
  if (changes.length === 0 && inspection.plan.unhealthy.length === 0) {
    if (!isUnattended) await showOneTimeSecrets(invocation, host, inspection.oneTimeSecrets)
    return { outcome: 'up-to-date', applied: 0, remaining: 0 }
  }
  const remaining = inspection.plan.planned.length
  // With nothing to change, what is not well is looked at again.
  if (changes.length > 0 && !(await confirm(host.target.name, changes.length)))
    return { outcome: 'declined', applied: 0, remaining }
  const { plan } = inspection
  const result = await convergeLocked(invocation, host, resources, { ...context, holder, plan, changes })
  if (result.outcome === 'up-to-date' && !isUnattended) await showUnshownSecrets(invocation, host)
  return result
}

/** Shows those that were generated and not shown yet. */
export async function showUnshownSecrets(invocation: Invocation, host: HostSession): Promise<void> {
  await showOneTimeSecrets(invocation, host, await host.freshFacts()(oneTimeSecretsFact))
}
