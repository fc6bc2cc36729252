/** `tappass plan`: shows what `bootstrap` would change on each host, with reasons and diffs. It changes nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Invocation } from '../command-line/invocation.ts'
import { judgeHealth } from '../converge/health-verdict.ts'
import { inspectHost } from '../converge/host-inspection.ts'
import { plannedChanges } from '../converge/plan.ts'
import { recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { readEffectiveSpec } from '../session/effective-spec.ts'
import { forEachHost } from '../session/host-session.ts'
import { selectResources } from '../spec/role-selection.ts'
import { readTargets } from '../spec/target.ts'

/** Returns 0 up to date, 1 up to date and not well, 2 changes pending, 5 preflight refused. */
export async function run(invocation: Invocation): Promise<number> {
  const text = (path: string) => readFileSync(join(invocation.root, path), 'utf8')
  const targets = await readTargets(invocation)
  return await forEachHost(invocation, connectors, targets, async (host) => {
    const { connection, freshFacts, emit } = host
    const spec = await readEffectiveSpec(invocation, host)
    const resources = selectResources(recipe(spec, text), invocation)
    const readOnlyConnection = { ...connection, run: readOnly(connection.run) }
    const inspection = await inspectHost(readOnlyConnection, freshFacts, resources, spec, invocation.nowMs)
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
  })
}
