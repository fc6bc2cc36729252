/** `tappass upgrade`: brings each host to a release: that of this toolkit, one in an archive, or one that is on the host. Plan, consent, gates, acceptance. */
import type { Invocation } from '../command-line/invocation.ts'
import { markLines } from '../history/line-mark.ts'
import { createHandOver } from '../job/job-start.ts'
import { recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { forEachHost } from '../session/host-session.ts'
import { readRollout } from '../session/rollout.ts'
import { openSpecSession } from '../session/spec-session.ts'
import { checkStorage } from '../storage/storage-check.ts'
import { readReleaseChange } from '../upgrade/release-change.ts'
import { createMove, withoutSoak } from '../upgrade/release-session.ts'
import { runFromArchive } from '../upgrade/unpacked-release.ts'

/** Returns 0 up to date, 1 failed, 2 not confirmed, or with `--plan-only` something to change, 3 rolled back, 4 locked by another run, 5 refused, 6 unreachable, 130 interrupted. */
export async function run(invocation: Invocation): Promise<number> {
  const unpacked = await runFromArchive(invocation)
  if (unpacked !== undefined) return unpacked
  const { targets, text, beforehand, readSpec, specFrom } = await openSpecSession(invocation, () => {
    readRollout(withoutSoak(invocation))
    readReleaseChange(invocation, 0)
  })
  const work = createMove(invocation, {
    ...{ readSpec, specFrom, text, waiting: text('scripts/first-boot.sh'), handOver: createHandOver(invocation) },
    resourcesOf: (spec) => recipe(spec, text).flatMap(({ resources }) => resources),
    markedOf: (spec) => recipe(spec, markLines(text)).flatMap(({ resources }) => resources),
    lookAtStorage: ({ connection }, spec) => checkStorage(connection.dial, spec, text('versions.yaml')),
  })
  return await forEachHost(withoutSoak(invocation), connectors, targets, {
    beforehand,
    work,
    isConfirmedTogether: true,
  })
}
