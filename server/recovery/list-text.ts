/** The list of what can be restored on a host, as lines of text. */
import { shortRecipient } from '../../contract/recovery-key.ts'
import type { JudgedBaseBackup } from '../backups/wal.ts'
import type { EarlierDatabase } from './earlier-database.ts'
import type { ListedBackup } from './set-list.ts'

/** Returns a line for each backup, each copy of the cluster from which any later moment is reached, and each database that a restoration has taken out of force. */
export function listLines(
  backups: readonly ListedBackup[],
  bases: readonly JudgedBaseBackup[],
  earlier: readonly EarlierDatabase[],
): readonly string[] {
  const rows = [
    ...backups.map(({ name, bytes, release, state, recipient, format }) => [
      ...[name, `${bytes} bytes`, release || '-', state],
      format === 1 ? '' : recipient === null ? 'no secrets' : `sealed to ${shortRecipient(recipient)}`,
    ]),
    ...bases.map(({ name, bytes, release, problem, endedAt }) => [
      ...[name, `${bytes} bytes`, release, problem ?? `any moment since ${endedAt}`],
    ]),
    ...earlier.map(({ name, bytes, keptAt }) => [name, `${bytes} bytes`, '-', `out of force since ${keptAt}`]),
  ]
  if (rows.length === 0) return ['there is no backup']
  return rows.map((row) => row.join('  ').trimEnd())
}
