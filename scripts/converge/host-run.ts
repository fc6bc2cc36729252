/** One host brought to the wanted state: survey, consent, lock, converge, and the secrets that nobody has seen yet. */
import { hostname, userInfo } from 'node:os'
import { typedLine } from '../command-line/command-hint.ts'
import type { Consent } from '../command-line/confirmation.ts'
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import { Failure } from '../core/failure.ts'
import { bootOf, identify, isRunning } from '../core/process-identity.ts'
import type { Resource } from '../core/resource.ts'
import { revealCommand, shownCommand, unshownFact } from '../secrets/one-time-secret.ts'
import { type AtHand, type Done, outcomeOf } from '../session/host-session.ts'
import type { WrittenSpec } from '../spec/host-spec.ts'
import { converge, type Ending } from './converge.ts'
import { survey } from './host-survey.ts'
import { type Keeper, respectLock, underLock } from './lock-lease.ts'
import { shownChanges } from './plan.ts'

function keeperOf(invocation: Invocation, { run, look, tell, nonce }: AtHand): Keeper {
  const { pid, start } = identify(process.pid)
  return {
    run,
    look,
    tell,
    owner: {
      token: nonce(),
      owner: userInfo().username,
      verb: invocation.verb.name,
      controller: hostname(),
      controllerBoot: bootOf(),
      pid,
      pidStart: start,
      startedAt: new Date(invocation.nowMs()).toISOString(),
    },
    isOwnerRunning: (record) => isRunning({ pid: record.pid, start: record.pidStart }),
  }
}

/** Told first, ticked off on the host afterwards: should the toolkit be killed in between, they are told again. */
async function showSecrets(invocation: Invocation, { run, tell, target }: AtHand, ids: readonly string[]) {
  for (const id of ids) {
    const { code, stdout, stderr } = await run(revealCommand(id))
    if (code !== 0)
      throw new Failure({ what: `the secret ${id} can't be read`, why: stderr.trim(), next: 'run it again' })
    tell({ event: 'secret', id, value: stdout })
    if (!isGiven(invocation, 'json')) {
      const whose = target.address === undefined ? '' : ` of ${target.name}`
      invocation.stderr.write(`The ${id}${whose} is shown this once; keep it:\n`)
      invocation.stdout.write(`${stdout.trimEnd()}\n`)
    }
    await run(shownCommand(id))
  }
}

function doneAfter(ending: Ending, { tell }: AtHand): Done {
  const { applied, status } = ending
  switch (status) {
    case 'as-wanted':
      return { outcome: 'as-wanted', applied, remaining: 0 }
    case 'refused':
      tell({ event: 'refused', reasons: ending.reasons })
      return { outcome: 'refused', applied, remaining: 0 }
    case 'interrupted':
      return { outcome: 'interrupted', applied, remaining: ending.remaining }
    case 'failed':
      return { outcome: 'failed', applied, remaining: ending.remaining }
    case 'broken-off':
      tell({ event: 'error', failure: ending.failure.text })
      return { outcome: outcomeOf(ending.failure.code), applied, remaining: ending.remaining }
    case 'unsettled':
      tell({ event: 'plan', resources: ending.plan.resources, changes: shownChanges(ending.plan) })
      return { outcome: 'failed', applied, remaining: ending.plan.planned.length }
  }
}

/** Throws a `Failure` when the host is locked, can't be reached, or nobody could be asked. */
export async function bringAbout(
  invocation: Invocation,
  host: AtHand,
  resources: readonly Resource[],
  limits: WrittenSpec['preflight'],
  consent: Consent,
): Promise<Done> {
  const seen = await survey(host.connection, host.look, resources, limits, invocation.nowMs)
  if (seen.status === 'refused') {
    host.tell({ event: 'refused', reasons: seen.reasons })
    return { outcome: 'refused', applied: 0, remaining: 0 }
  }
  const keeper = keeperOf(invocation, host)
  respectLock(keeper, seen.lock)
  const changes = shownChanges(seen.plan)
  host.tell({ event: 'plan', resources: resources.length, changes })
  if (changes.length === 0) {
    await showSecrets(invocation, host, seen.unshown)
    return { outcome: 'as-wanted', applied: 0, remaining: 0 }
  }
  const remaining = seen.plan.planned.length
  if (!(await consent(host.target.name, changes.length))) return { outcome: 'declined', applied: 0, remaining }
  const ending = await underLock(keeper, (isLost) =>
    converge(resources, {
      ...host,
      look: () => host.look(),
      nowMs: invocation.nowMs,
      shouldStop: () => invocation.interrupt.aborted || isLost(),
      again: typedLine(invocation, invocation.verb.name),
    }),
  )
  if (ending.status === 'as-wanted') await showSecrets(invocation, host, await host.look()(unshownFact))
  return doneAfter(ending, host)
}
