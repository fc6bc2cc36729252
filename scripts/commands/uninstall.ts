/** `tappass uninstall`: takes TapPass off each host: plans, asks for the host's name, applies, and plans again until nothing of ours is there. */
import { hostname } from 'node:os'
import { createNameConfirm } from '../command-line/confirmation.ts'
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import { removeFromHost } from '../converge/host-removal.ts'
import { createRemovalHandOver } from '../job/removal-start.ts'
import { removableResources } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { forEachHost, type HostSession } from '../session/host-session.ts'
import { readRollout } from '../session/rollout.ts'
import { openSpecSession } from '../session/spec-session.ts'

/** Returns 0 nothing of ours is left, 1 failed, 2 not confirmed, 4 locked by another run, 5 refused, 6 unreachable, 130 interrupted. */
export async function run(invocation: Invocation): Promise<number> {
  const { targets, text, beforehand, readSpec } = await openSpecSession(invocation, () => void readRollout(invocation))
  const confirmName = createNameConfirm(invocation)
  const isWithData = isGiven(invocation, 'data')
  const confirm = ({ target }: HostSession, changes: number): Promise<boolean> => {
    const name = target.address?.name ?? hostname()
    return confirmName(
      target.name,
      name,
      `${changes} changes${isWithData ? ', and all data and secrets are gone then' : ''}`,
    )
  }
  const work = async (host: HostSession) => {
    const spec = await readSpec(host)
    const resources = removableResources(spec, text)
    const handOver = createRemovalHandOver(invocation, spec)
    return await removeFromHost(invocation, host, resources, { isWithData }, confirm, handOver)
  }
  return await forEachHost(invocation, connectors, targets, { beforehand, work })
}
