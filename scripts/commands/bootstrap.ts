/** `tappass bootstrap`: brings each host to the desired state: plans, asks for confirmation, applies, and plans again. */
import { UNIT } from '../../contract/unit.ts'
import { createConfirm } from '../command-line/confirmation.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { runHost } from '../converge/host-run.ts'
import { probeIngress } from '../converge/ingress-probe.ts'
import { readPlanOption } from '../converge/plan-option.ts'
import { rotationNotice } from '../converge/rotation-notice.ts'
import { markLines } from '../history/line-mark.ts'
import { createHandOver } from '../job/job-start.ts'
import { ROLE_NAMES, recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { readBatchSizes } from '../session/batch-size.ts'
import { forEachHost, type HostSession } from '../session/host-session.ts'
import { openSpecSession } from '../session/spec-session.ts'
import { selectResources, validateRoles } from '../spec/role-selection.ts'
import { checkStorage } from '../storage/storage-check.ts'

/** Returns 0 up to date, 1 failed, 2 not confirmed, 4 locked by another run, 5 refused, 6 unreachable, 130 interrupted. */
export async function run(invocation: Invocation): Promise<number> {
  const { targets, text, beforehand, readSpec } = await openSpecSession(invocation, () => {
    validateRoles(ROLE_NAMES, invocation)
    readBatchSizes(invocation)
  })
  const keptPlan = await readPlanOption(invocation)
  const confirm = createConfirm(invocation)
  const waiting = text('scripts/first-boot.sh')
  const handOver = createHandOver(invocation)
  const work = async (host: HostSession) => {
    const spec = await readSpec(host)
    const resources = selectResources(recipe(spec, text), invocation)
    const contract = keptPlan?.(host.target.name, spec)
    const history = { spec, marked: () => selectResources(recipe(spec, markLines(text)), invocation) }
    const lookAtStorage = () => checkStorage(host.connection.dial, spec, text('versions.yaml'))
    const context = { confirm, waiting, lookAtStorage, contract, history, handOver }
    const result = await runHost(invocation, host, resources, spec, context)
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
