/** `tappass upgrade`: brings each host to a release: that of this toolkit, one in an archive, or one that is on the host. Plan, consent, gates, acceptance. */
import type { Invocation } from '../command-line/invocation.ts'
import { recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { forEachHost } from '../session/host-session.ts'
import { openSpecSession } from '../session/spec-session.ts'
import { createMove, validateMove, withoutSoak } from '../upgrade/release-session.ts'
import { runFromArchive } from '../upgrade/unpacked-release.ts'

/** Returns 0 up to date, 1 failed, 2 not confirmed, or with `--plan-only` something to change, 3 rolled back, 4 locked by another run, 5 refused, 6 unreachable, 130 interrupted. */
export async function run(invocation: Invocation): Promise<number> {
  const unpacked = await runFromArchive(invocation)
  if (unpacked !== undefined) return unpacked
  const { beforehand, targets, text, readSpec, specFrom } = await openSpecSession(invocation, () =>
    validateMove(invocation),
  )
  const work = createMove(invocation, { text, readSpec, specFrom, recipe })
  return await forEachHost(withoutSoak(invocation), connectors, targets, {
    beforehand,
    work,
    isConfirmedTogether: true,
  })
}
