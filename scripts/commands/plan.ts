/** `tappass plan`: shows what `bootstrap` would change on each host, with reasons and diffs. It changes nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Invocation } from '../command-line/invocation.ts'
import { inspectHost } from '../converge/host-inspection.ts'
import { plannedChanges } from '../converge/plan.ts'
import { ROLE_NAMES, recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { readEffectiveSpec, readOwnSpec } from '../session/effective-spec.ts'
import { forEachHost, type HostResult, type HostSession } from '../session/host-session.ts'
import { selectResources, validateRoles } from '../spec/role-selection.ts'
import { createMeasurements, validateCommandLine } from '../spec/spec-reader.ts'
import { readTargets, type Target } from '../spec/target.ts'

/** Returns 0 up to date, 2 changes pending, 5 preflight refused. */
export async function run(invocation: Invocation): Promise<number> {
  const text = (path: string) => readFileSync(join(invocation.root, path), 'utf8')
  const targets = await readTargets(invocation)
  const measurements = createMeasurements(invocation)
  validateRoles(ROLE_NAMES, invocation)
  await validateCommandLine(invocation, measurements)
  const beforehand = (target: Target) => readOwnSpec(invocation, target, measurements)
  const work = async (host: HostSession): Promise<HostResult> => {
    const { connection, freshFacts, emit } = host
    const spec = await readEffectiveSpec(invocation, host, measurements)
    const resources = selectResources(recipe(spec, text), invocation)
    const readOnlyConnection = { ...connection, run: readOnly(connection.run) }
    const inspection = await inspectHost(readOnlyConnection, freshFacts, resources, spec, invocation.nowMs)
    if (inspection.status === 'refused') {
      emit({ event: 'refused', reasons: inspection.reasons })
      return { outcome: 'refused', applied: 0, remaining: 0 }
    }
    const changes = plannedChanges(inspection.plan)
    emit({ event: 'plan', resources: resources.length, changes })
    return {
      outcome: changes.length === 0 ? 'up-to-date' : 'pending',
      applied: 0,
      remaining: inspection.plan.planned.length,
    }
  }
  return await forEachHost(invocation, connectors, targets, { beforehand, work })
}
