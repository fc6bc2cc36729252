/** `tappass doctor`: what is wrong with each host, why, and what to do about it; on the host in one round trip, and from this machine. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TOPICS } from '../checkup.ts'
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import { composeDoctor } from '../compose/compose-command.ts'
import { isForCompose } from '../compose/compose-file.ts'
import { gatherPreflightFacts } from '../converge/preflight.ts'
import { judgeAll } from '../diagnosis/check.ts'
import { countFindings, renderFindings } from '../diagnosis/finding-text.ts'
import { lookFromOutside } from '../diagnosis/outside.ts'
import { probeFact } from '../diagnosis/probe.ts'
import { gatherHealth } from '../output/host-health.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { forEachHost, type HostResult, type HostSession } from '../session/host-session.ts'
import { openSpecSession } from '../session/spec-session.ts'

/** Returns 0 nothing is wrong (there may be something to look at), 1 something is, 5 no root privileges, 6 unreachable. */
export async function run(invocation: Invocation): Promise<number> {
  if (isForCompose(invocation)) return await composeDoctor(invocation)
  const { targets, beforehand, readSpec } = await openSpecSession(invocation)
  const waiting = readFileSync(join(invocation.root, 'scripts/first-boot.sh'), 'utf8')
  const probe = probeFact(TOPICS.map((topic) => topic.probe).filter((text) => text !== ''))
  const work = async (host: HostSession): Promise<HostResult> => {
    const spec = await readSpec(host)
    const getFact = host.freshFacts(readOnly(host.run))
    const [probed, preflight, health, outside] = await Promise.all([
      getFact(probe),
      gatherPreflightFacts(getFact, spec, waiting),
      gatherHealth(getFact),
      lookFromOutside(spec, host.target, invocation.nowMs()),
    ])
    const findings = judgeAll(TOPICS, { probe: probed, preflight, health, outside, spec, nowMs: invocation.nowMs() })
    host.emit({ event: 'checks', counts: countFindings(findings), checks: findings })
    if (!isGiven(invocation, 'json')) {
      const title = targets.length > 1 ? `${host.target.name}\n` : ''
      invocation.stdout.write(`${title}${renderFindings(findings, invocation.program, isGiven(invocation, 'all'))}`)
    }
    const wrong = findings.filter(({ status }) => status === 'fail').map(({ id }) => id)
    if (wrong.length === 0) return { outcome: 'well', applied: 0, remaining: 0 }
    return { outcome: 'unhealthy', applied: 0, remaining: 0, unhealthy: wrong }
  }
  return await forEachHost(invocation, connectors, targets, { beforehand, work })
}
