/** Databases that a restoration has taken out of force, `tappass_before_TIME`: kept until nobody can need them, by a stated rule. */
import { type BackupHost, DATABASE } from './backup-host.ts'

/** `keptMs` is when it was taken out of force. */
export type EarlierDatabase = Readonly<{ name: string; keptMs: number; keptAt: string; bytes: number }>

const NAME = /^tappass_before_(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)z$/

/** Returns the name that the database in force gets at that time (`20261127T031700Z`). */
export function earlierName(time: string): string {
  return `${DATABASE.live}_before_${time.toLowerCase()}`
}

/** Returns them, the oldest first. */
export async function listEarlier({ restoreTool }: BackupHost): Promise<readonly EarlierDatabase[]> {
  const rows = await restoreTool.administer(
    `SELECT datname, pg_database_size(oid) FROM pg_database WHERE datname LIKE 'tappass\\_before\\_%' ORDER BY 1`,
  )
  return rows.flatMap((row) => {
    const [name = '', bytes] = row.split('|')
    const [, ...parts] = NAME.exec(name) ?? []
    if (parts.length === 0) return []
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number)
    const keptMs = Date.UTC(year, month - 1, day, hour, minute, second)
    return [{ name, keptMs, keptAt: new Date(keptMs).toISOString(), bytes: Number(bytes) }]
  })
}

const DAY_MS = 86_400_000

/** Returns the names of those that go: out of force for more than `days`, with a backup that counts of what came after. Pure. */
export function expiredEarlier(
  databases: readonly EarlierDatabase[],
  verifiedMs: number | undefined,
  nowMs: number,
  days: number,
): readonly string[] {
  return databases
    .filter(({ keptMs }) => nowMs - keptMs > days * DAY_MS && verifiedMs !== undefined && verifiedMs > keptMs)
    .map(({ name }) => name)
}

/** Drops what the rule lets go. `verifiedMs` is when the newest backup that counts was taken. Returns the names. */
export async function pruneEarlier(
  host: BackupHost,
  verifiedMs: number | undefined,
  days: number,
): Promise<readonly string[]> {
  const expired = expiredEarlier(await listEarlier(host), verifiedMs, host.clock.nowMs(), days)
  for (const name of expired) await host.restoreTool.administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  return expired
}
