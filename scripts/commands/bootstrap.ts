/** `tappass bootstrap`: brings each host to the desired state: plans, asks for confirmation, applies, and plans again. */
import { UNIT } from '../../contract/unit.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { runHost } from '../converge/host-run.ts'
import { readPlanOption } from '../converge/plan-option.ts'
import { rotationNotice } from '../converge/rotation-notice.ts'
import { probeForRollout } from '../diagnosis/rollout-probe.ts'
import { markLines } from '../history/line-mark.ts'
import { createHandOver } from '../job/job-start.ts'
import { probeIngress } from '../outside/ingress-probe.ts'
import { ROLE_NAMES, recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { forEachHost, type HostSession } from '../session/host-session.ts'
import { readRollout } from '../session/rollout.ts'
import { openSpecSession } from '../session/spec-session.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { selectResources, validateRoles } from '../spec/role-selection.ts'
import { checkStorage } from '../storage/storage-check.ts'

/** Returns 0 up to date, 1 failed, 2 not confirmed, 4 locked by another run, 5 refused, 6 unreachable, 130 interrupted. */
export async function run(invocation: Invocation): Promise<number> {
  const { targets, text, beforehand, readSpec } = await openSpecSession(invocation, () => {
    validateRoles(ROLE_NAMES, invocation)
    readRollout(invocation)
  })
  const keptPlan = await readPlanOption(invocation)
  const waiting = text('scripts/first-boot.sh')
  const handOver = createHandOver(invocation, (spec) => recipe(spec, text).flatMap(({ resources }) => resources))
  const specs = new Map<string, HostSpec>()
  const work = async (host: HostSession) => {
    const spec = await readSpec(host)
    specs.set(host.target.name, spec)
    const resources = selectResources(recipe(spec, text), invocation)
    const contract = keptPlan?.(host.target.name, spec)
    const history = { spec, marked: () => selectResources(recipe(spec, markLines(text)), invocation) }
    const lookAtStorage = () => checkStorage(host.connection.dial, spec, text('versions.yaml'))
    const context = { confirm: host.confirm, waiting, lookAtStorage, contract, history, handOver }
    const result = await runHost(invocation, host, resources, spec, context)
    const given = { ids: Object.keys(spec.secrets), storedBefore: 0, mode: 'overlap' } as const
    const notice = result.outcome === 'up-to-date' && (await rotationNotice(invocation, host.freshFacts(), given, true))
    if (notice) host.emit({ event: 'warning', warning: notice })
    const hasIngress = resources.some(({ id }) => id === `unit:${UNIT.caddy}`)
    if (result.outcome !== 'up-to-date' || result.applied === 0 || !hasIngress) return result
    const warning = await probeIngress(spec, host.target, host.freshFacts())
    if (warning !== undefined) host.emit({ event: 'warning', warning })
    return result
  }
  const probe = ({ target, run: asRoot, freshFacts }: HostSession) =>
    probeForRollout(specs.get(target.name), target, freshFacts(readOnly(asRoot)))
  return await forEachHost(invocation, connectors, targets, { beforehand, work, probe, isConfirmedTogether: true })
}
