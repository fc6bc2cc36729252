/** A release is brought in: the one in force checks itself as before an upgrade, and its migrations run on a copy of the database, made from the newest backup. */
import { join } from 'node:path'
import { createStopwatch, type Drill, demand } from '../drill/drill.ts'
import { newestSet } from '../drill/newest-set.ts'
import { createScratchCluster } from '../drill/scratch-cluster.ts'
import { DATABASE } from '../recovery/backup-host.ts'
import { migrateRestored } from '../recovery/migrate-restored.ts'
import { createEmpty, fill, schemaOf } from '../recovery/restored-database.ts'

const COPY = DATABASE.restored

/** See docs/how-to/drill.md. */
export const drill: Drill = {
  name: 'upgrade',
  summary: 'the release checks itself, and its migrations run on a copy of the database',
  touches: 'nothing',
  effect: 'takes memory, disk and time beside the service',
  goal: { rtoMs: 60_000, rpoMs: 0 },
  run: async (context) => {
    const { host, clock, run } = context
    const watch = createStopwatch(clock)
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', join(host.release, 'server/self-check.ts')]
    await watch.time('the release’s own check', () => demand(run, node as [string, ...string[]]))
    const { manifest, source } = await newestSet(context)
    await using cluster = await createScratchCluster(context)
    await createEmpty(cluster.host, COPY)
    await fill(cluster.host, COPY, source.dump)
    const before = await schemaOf(cluster.host, COPY)
    await watch.time('migrations', () => migrateRestored(cluster.host, COPY))
    const { pending, problems } = await schemaOf(cluster.host, COPY)
    if (problems[0] !== undefined) throw new Error(`the release does not start on the copy: ${problems[0]}`)
    const rtoMs = watch.steps.at(-1)?.ms ?? 0
    const notes = [
      `${before.pending - pending} migrations were run on ${manifest.name}, which is of release ${manifest.release}`,
      'instances are moved one after the other: calls wait for migrations only',
    ]
    return { rtoMs, rpoMs: 0, steps: watch.steps, notes }
  },
}
