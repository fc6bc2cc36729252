/**
 * The ledger's own entry about a restoration, in a chain of its own at the end of what was restored: from which set, by whom, and how many entries are in the earlier database only. It is written
 * before the database is put in force, so that none is ever in force without it.
 */
import { ROLE } from '../../contract/database-role.ts'
import { createRandom } from '../adapters/system.ts'
import type { SessionDatabase } from '../core/ports.ts'
import { readHeads } from '../ledger/chain.ts'
import { plainEntry } from '../ledger/entry-builder.ts'
import { createLedger } from '../ledger/ledger.ts'
import { type BackupHost, DATABASE, withDatabase } from './backup-host.ts'
import { migrateRestored } from './migrate-restored.ts'
import { schemaOf } from './restored-database.ts'

/** `by` is who typed the command; `earlier` the name that the database in force gets, undefined where that goes. */
export type Restoration = Readonly<{
  label: string
  takenAt: string | undefined
  by: string
  earlier: string | undefined
}>

type Heads = ReadonlyMap<string, number>

async function headsOf(host: BackupHost, name: string): Promise<Heads | undefined> {
  const read = async (database: SessionDatabase) => await readHeads(database)
  const heads = await withDatabase(host, ROLE.reader, name, read).catch(() => undefined)
  return heads && new Map(heads.map(({ chain, seq }) => [chain, seq]))
}

/** Returns how many entries of the one are not in the other. */
export function entriesBeyond(one: Heads, other: Heads): number {
  return [...one].reduce((sum, [chain, seq]) => sum + Math.max(0, seq - (other.get(chain) ?? 0)), 0)
}

/** Records it in the restored database of that name, after the migrations that it lacks. Returns how many entries are in the earlier one only; undefined where that can't be read. */
export async function recordRestoration(
  host: BackupHost,
  name: string,
  { label, takenAt, by, earlier }: Restoration,
): Promise<number | undefined> {
  const { pending } = await schemaOf(host, name)
  if (pending > 0) await migrateRestored(host, name)
  const [restored, live] = [await headsOf(host, name), await headsOf(host, DATABASE.live)]
  const lost = live && restored && earlier !== undefined ? entriesBeyond(live, restored) : undefined
  const context = { clock: host.clock, random: createRandom() }
  await withDatabase(host, ROLE.owner, name, async (database) => {
    const ledger = createLedger({ database, instance: 'restore', ...context })
    const details = { set: label, taken_at: takenAt ?? null, by, entries_lost: lost ?? null, earlier: earlier ?? null }
    const known = { eventKind: 'admin', eventType: 'database.restored', severity: 'warn', details } as const
    await ledger.append(plainEntry(context, known))
    await ledger.close()
  })
  return lost
}
