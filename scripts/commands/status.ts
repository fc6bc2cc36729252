/** `tappass status`: what a host shall run and runs, its gateway and release, and what it stands on: backup, disk, certificate, clock, Docker. */

import { hostCommandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import { composeStatus } from '../compose/compose-command.ts'
import { isForCompose } from '../compose/compose-file.ts'
import { readTargets } from '../inventory/target.ts'
import { nextCommand } from '../output/health-advice.ts'
import { gatherHealth, isInstalled, renderHealth, unhealthyParts } from '../output/host-health.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { forEachHost, type HostResult, type HostSession } from '../session/host-session.ts'

/** Prints a table on stdout; with `--json` the event `health`. Returns 0 when everything is healthy, otherwise 1. */
export async function run(invocation: Invocation): Promise<number> {
  if (isForCompose(invocation)) return await composeStatus(invocation)
  const targets = await readTargets(invocation)
  const work = async ({ run: asRoot, freshFacts, target, emit }: HostSession): Promise<HostResult> => {
    const health = await gatherHealth(freshFacts(readOnly(asRoot)))
    emit({ event: 'health', ...health })
    if (!isInstalled(health)) {
      return { outcome: 'not-installed', applied: 0, remaining: 0, next: hostCommandHint(invocation, 'bootstrap') }
    }
    if (!isGiven(invocation, 'json')) {
      const title = targets.length > 1 ? `${target.name}\n` : ''
      invocation.stdout.write(`${title}${renderHealth(health)}`)
    }
    if (health.isHealthy) return { outcome: 'up-to-date', applied: 0, remaining: 0 }
    const unhealthy = unhealthyParts(health)
    const next = nextCommand(health, hostCommandHint(invocation, 'bootstrap'))
    return { outcome: 'unhealthy', applied: 0, remaining: 0, unhealthy, next }
  }
  return await forEachHost(invocation, connectors, targets, { work })
}
