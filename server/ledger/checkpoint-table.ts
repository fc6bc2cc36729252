/** Checkpoints in the database, beside the entries that they cover. */
import type { CheckpointStore } from '../checkpoint/checkpointer.ts'
import type { Database } from '../core/ports.ts'

/**
 * Each is kept for a day, after that the last one of each hour, and the last one of each chain for ever: a later one covers
 * everything that an earlier one does.
 */
const PRUNE = `DELETE FROM audit_checkpoints old
  WHERE old.chain = $1 AND old.created_at < now() - interval '1 day' AND EXISTS (
    SELECT 1 FROM audit_checkpoints later WHERE later.chain = old.chain AND later.size > old.size
      AND date_trunc('hour', later.created_at) = date_trunc('hour', old.created_at))`

/** Checkpoints between two prunings. */
const PRUNE_EVERY = 3600

/** Creates the store. */
export function createCheckpointTable(database: Database): CheckpointStore {
  let count = 0
  return {
    name: 'database',
    save: async ({ chain, size }, note) => {
      await database.query(
        'INSERT INTO audit_checkpoints (chain, size, note) VALUES ($1, $2::bigint, $3) ON CONFLICT DO NOTHING',
        [chain, size, note],
      )
      count += 1
      if (count % PRUNE_EVERY === 0) await database.query(PRUNE, [chain])
    },
  }
}

/** Returns the notes of all chains, in the order of chain and size. */
export async function readCheckpoints(database: Database): Promise<readonly string[]> {
  const rows = await database.query<{ note: string }>('SELECT note FROM audit_checkpoints ORDER BY chain, size')
  return rows.map(({ note }) => note)
}

/** The newest checkpoint of a chain. */
export type LatestCheckpoint = Readonly<{ chain: string; size: number; note: string }>

/** Returns the newest checkpoint of each chain. */
export function readLatestCheckpoints(database: Database): Promise<readonly LatestCheckpoint[]> {
  return database.query(
    `SELECT DISTINCT ON (chain) chain, size::float8 AS size, note FROM audit_checkpoints ORDER BY chain, size DESC`,
  )
}
