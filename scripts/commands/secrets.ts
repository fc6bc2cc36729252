/** `tappass secrets rotate`: gives a secret of each host a new value: planned, confirmed and applied like any other change. */
import type { Invocation } from '../command-line/invocation.ts'
import { runHost } from '../converge/host-run.ts'
import { assertInstalled, rotationNotice } from '../converge/rotation-notice.ts'
import { probeForRollout } from '../diagnosis/rollout-probe.ts'
import { markLines } from '../history/line-mark.ts'
import { createHandOver } from '../job/job-start.ts'
import { recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { forEachHost, type HostSession } from '../session/host-session.ts'
import { readRollout } from '../session/rollout.ts'
import { openSpecSession } from '../session/spec-session.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { checkStorage } from '../storage/storage-check.ts'

/** Returns 0 up to date, 1 failed, 2 not confirmed, 3 rolled back, 4 locked by another run, 5 refused, 6 unreachable, 130 interrupted. */
export async function run(invocation: Invocation): Promise<number> {
  const { targets, text, beforehand, readSpec } = await openSpecSession(invocation, () => void readRollout(invocation))
  const waiting = text('scripts/first-boot.sh')
  const handOver = createHandOver(invocation)
  const specs = new Map<string, HostSpec>()
  const work = async (host: HostSession) => {
    const spec = await readSpec(host)
    specs.set(host.target.name, spec)
    await assertInstalled(invocation, host.freshFacts(), spec)
    const resources = recipe(spec, text).flatMap((role) => role.resources)
    const history = { spec, marked: () => recipe(spec, markLines(text)).flatMap((role) => role.resources) }
    const result = await runHost(invocation, host, resources, spec, {
      ...{ confirm: host.confirm, waiting, history, handOver },
      lookAtStorage: () => checkStorage(host.connection.dial, spec, text('versions.yaml')),
    })
    if (result.outcome !== 'up-to-date' || spec.rotation === undefined) return result
    const notice = await rotationNotice(invocation, host.freshFacts(), spec.rotation, result.applied > 0)
    if (notice !== undefined) host.emit({ event: 'warning', warning: notice })
    return result
  }
  const probe = ({ target, run: asRoot, freshFacts }: HostSession) =>
    probeForRollout(specs.get(target.name), target, freshFacts(readOnly(asRoot)))
  return await forEachHost(invocation, connectors, targets, { beforehand, work, probe, isConfirmedTogether: true })
}
