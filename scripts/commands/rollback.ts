/** `tappass rollback`: brings each host back to the release before, or to another one that is on it, under the gates of an upgrade. */
import type { Invocation } from '../command-line/invocation.ts'
import { recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { forEachHost } from '../session/host-session.ts'
import { openSpecSession } from '../session/spec-session.ts'
import { createMove, validateMove, withoutSoak } from '../upgrade/release-session.ts'

/** Returns 0 up to date, 1 failed, 2 not confirmed, or with `--plan-only` something to change, 3 rolled back, 4 locked by another run, 5 refused, 6 unreachable, 130 interrupted. */
export async function run(invocation: Invocation): Promise<number> {
  const { targets, text, readSpec, specFrom } = await openSpecSession(invocation, () => validateMove(invocation))
  const work = createMove(invocation, { text, readSpec, specFrom, recipe })
  return await forEachHost(withoutSoak(invocation), connectors, targets, { work, isConfirmedTogether: true })
}
