/** `tappass bootstrap`: brings each host to the desired state: plans, asks for confirmation, applies, and plans again. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UNIT } from '../../contract/unit.ts'
import { createConfirm } from '../command-line/confirmation.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { runHost } from '../converge/host-run.ts'
import { probeIngress } from '../converge/ingress-probe.ts'
import { rotationNotice } from '../converge/rotation-notice.ts'
import { ROLE_NAMES, recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { readBatchSizes } from '../session/batch-size.ts'
import { readEffectiveSpec, readOwnSpec } from '../session/effective-spec.ts'
import { forEachHost, type HostSession } from '../session/host-session.ts'
import { selectResources, validateRoles } from '../spec/role-selection.ts'
import { createMeasurements, validateCommandLine } from '../spec/spec-reader.ts'
import { readTargets, type Target } from '../spec/target.ts'

/** Returns 0 up to date, 1 failed, 2 not confirmed, 4 locked by another run, 5 refused, 6 unreachable, 130 interrupted. */
export async function run(invocation: Invocation): Promise<number> {
  const text = (path: string) => readFileSync(join(invocation.root, path), 'utf8')
  const targets = await readTargets(invocation)
  const measurements = createMeasurements(invocation)
  validateRoles(ROLE_NAMES, invocation)
  readBatchSizes(invocation)
  await validateCommandLine(invocation, measurements)
  const beforehand = (target: Target) => readOwnSpec(invocation, target, measurements)
  const confirm = createConfirm(invocation)
  const waiting = text('scripts/first-boot.sh')
  const work = async (host: HostSession) => {
    const spec = await readEffectiveSpec(invocation, host, measurements)
    const resources = selectResources(recipe(spec, text), invocation)
    const result = await runHost(invocation, host, resources, spec, { confirm, waiting })
    const given = { ids: Object.keys(spec.secrets), storedBefore: 0, isFinishing: false }
    const notice = result.outcome === 'up-to-date' && (await rotationNotice(invocation, host.freshFacts(), given, true))
    if (notice) host.emit({ event: 'warning', warning: notice })
    const hasIngress = resources.some(({ id }) => id === `unit:${UNIT.caddy}`)
    if (result.outcome !== 'up-to-date' || result.applied === 0 || !hasIngress) return result
    const warning = await probeIngress(spec, host.target, host.freshFacts())
    if (warning !== undefined) host.emit({ event: 'warning', warning })
    return result
  }
  return await forEachHost(invocation, connectors, targets, { beforehand, work })
}
