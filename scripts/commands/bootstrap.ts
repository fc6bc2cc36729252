/** `tappass bootstrap`: brings each host to the desired state: plans, asks for confirmation, applies, and plans again. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UNIT } from '../../contract/unit.ts'
import { createConfirm } from '../command-line/confirmation.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { runHost } from '../converge/host-run.ts'
import { probeIngress } from '../converge/ingress-probe.ts'
import { recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { readEffectiveSpec } from '../session/effective-spec.ts'
import { forEachHost } from '../session/host-session.ts'
import { selectResources } from '../spec/role-selection.ts'
import { readTargets } from '../spec/target.ts'

/** Returns 0 up to date, 1 failed, 2 not confirmed, 4 locked by another run, 5 refused, 6 unreachable, 130 interrupted. */
export async function run(invocation: Invocation): Promise<number> {
  const text = (path: string) => readFileSync(join(invocation.root, path), 'utf8')
  const targets = await readTargets(invocation)
  const confirm = createConfirm(invocation)
  return await forEachHost(invocation, connectors, targets, async (host) => {
    const spec = await readEffectiveSpec(invocation, host)
    const resources = selectResources(recipe(spec, text), invocation)
    const result = await runHost(invocation, host, resources, spec, confirm)
    const hasIngress = resources.some(({ id }) => id === `unit:${UNIT.caddy}`)
    if (result.outcome !== 'up-to-date' || result.applied === 0 || !hasIngress) return result
    const warning = await probeIngress(spec, host.target, host.freshFacts())
    if (warning !== undefined) host.emit({ event: 'warning', warning })
    return result
  })
}
