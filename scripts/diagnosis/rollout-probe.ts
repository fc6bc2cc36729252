/** What is looked at on a host of a rollout before the next batch is begun: its units and its gateway, and its ingress from here. */

import type { GetFact } from '../core/host.ts'
import type { Target } from '../inventory/target.ts'
import { gatherHealth, isInstalled, unhealthyParts } from '../output/host-health.ts'
import { ingressAddress } from '../outside/ingress-probe.ts'
import type { ParsedSpec } from '../spec/host-spec.ts'
import { answerProblem } from './outside.ts'

/** Returns what is not well, in words. What is to be done some time (a restart of the machine, an old backup) stops no rollout. */
export async function probeForRollout(
  spec: Pick<ParsedSpec, 'ingress' | 'domain' | 'tls'> | undefined,
  target: Pick<Target, 'address' | 'ssh'>,
  getFact: GetFact,
): Promise<readonly string[]> {
  const address = spec && ingressAddress(spec, target)
  const [health, problem] = await Promise.all([gatherHealth(getFact), address && answerProblem(address)])
  const unwell = isInstalled(health) ? unhealthyParts({ ...health, conditions: [] }) : []
  return problem === undefined ? unwell : [...unwell, problem]
}
