/** `tappass plan`: shows what `bootstrap` would change on each host, with reasons and diffs. It changes nothing. */
import type { Invocation } from '../command-line/invocation.ts'
import { judgeHealth } from '../converge/health-verdict.ts'
import { inspectHost } from '../converge/host-inspection.ts'
import { plannedChanges } from '../converge/plan.ts'
import { openPlanOutput } from '../converge/plan-option.ts'
import { ROLE_NAMES, recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { forEachHost, type HostResult, type HostSession } from '../session/host-session.ts'
import { openSpecSession } from '../session/spec-session.ts'
import { selectResources, validateRoles } from '../spec/role-selection.ts'

/** Returns 0 up to date, 1 up to date and not well, 2 changes pending, 5 preflight refused. */
export async function run(invocation: Invocation): Promise<number> {
  const { targets, text, beforehand, readSpec } = await openSpecSession(invocation, () =>
    validateRoles(ROLE_NAMES, invocation),
  )
  const kept = openPlanOutput(invocation, connectors.nonce())
  const work = async (host: HostSession): Promise<HostResult> => {
    const { connection, freshFacts, emit } = host
    const spec = await readSpec(host)
    const resources = selectResources(recipe(spec, text), invocation)
    const readOnlyConnection = { ...connection, run: readOnly(connection.run) }
    const inspection = await inspectHost({ ...host, connection: readOnlyConnection }, resources, spec, {
      nowMs: invocation.nowMs,
      waiting: text('scripts/first-boot.sh'),
    })
    if (inspection.status === 'inspected') kept?.add(host.target.name, inspection.plan, spec)
    if (inspection.status === 'refused') {
      emit({ event: 'refused', reasons: inspection.reasons })
      return { outcome: 'refused', applied: 0, remaining: 0 }
    }
    const changes = plannedChanges(inspection.plan)
    emit({ event: 'plan', resources: resources.length, changes })
    const remaining = inspection.plan.planned.length
    if (remaining > 0) return { outcome: 'pending', applied: 0, remaining }
    const { run: read } = readOnlyConnection
    const context = { run: read, freshFacts: () => freshFacts(read) }
    const unhealthy = await judgeHealth(resources, context, inspection.plan.unhealthy)
    if (unhealthy.length > 0) return { outcome: 'unhealthy', applied: 0, remaining, unhealthy }
    return { outcome: 'up-to-date', applied: 0, remaining }
  }
  const code = await forEachHost(invocation, connectors, targets, { beforehand, work })
  await kept?.write(targets.map(({ name }) => name))
  return code
}
