/** The server is lost: a new PostgreSQL, the newest backup that counts, and a gateway that answers. The machine itself is not part of it. */
import { createStopwatch, type Drill } from '../drill/drill.ts'
import { newestSet } from '../drill/newest-set.ts'
import { createScratchCluster } from '../drill/scratch-cluster.ts'
import { proveSet } from '../recovery/prove-set.ts'

/** See docs/how-to/drill.md. */
export const drill: Drill = {
  name: 'server',
  summary: 'the newest backup on a PostgreSQL of its own, until a gateway on it answers',
  touches: 'nothing',
  effect: 'takes memory, disk and time beside the service',
  goal: { rtoMs: 10 * 60_000, rpoMs: 26 * 3_600_000 },
  run: async (context) => {
    const watch = createStopwatch(context.clock)
    const { folder, manifest, ageMs } = await watch.time('read the newest backup to its end', () => newestSet(context))
    await using cluster = await watch.time('make a cluster and start it', () => createScratchCluster(context))
    const proof = await watch.time('restore, compare, verify the ledger, answer a call', () =>
      proveSet(cluster.host, folder, manifest),
    )
    return {
      ...{ rtoMs: watch.totalMs(), rpoMs: ageMs, steps: watch.steps },
      notes: [
        `${manifest.name}: ${proof.rows} rows in ${proof.tables} tables, ledger intact (${proof.entries} entries)`,
        'a new machine, its packages and its first bootstrap come on top',
      ],
    }
  },
}
