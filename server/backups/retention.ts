/**
 * Which backups expire: a pure rule over the backups that exist. It never reads the clock: only newer backups make
 * others expire.
 */

/**
 * `isComplete`: it has a manifest, which is written only after the dump was verified. `takenMs` is milliseconds since
 * 1970.
 */
export type Backup = Readonly<{ name: string; takenMs: number; isComplete: boolean }>

/** For how many days and weeks a backup is kept, one for each. */
export type RetentionPolicy = Readonly<{ daily: number; weekly: number }>

const DAY_MS = 86_400_000

function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

/** Weeks run from Monday; 1 January 1970 was a Thursday. */
function weekOf(ms: number): number {
  return Math.floor((dayOf(ms) + 3) / 7)
}

/** The newest of each of the last `count` periods in which there is one. */
function newestOfEach(
  newestFirst: readonly Backup[],
  period: (ms: number) => number,
  count: number,
): readonly Backup[] {
  const byPeriod = new Map<number, Backup>()
  for (const backup of newestFirst) {
    const key = period(backup.takenMs)
    if (!byPeriod.has(key)) byPeriod.set(key, backup)
  }
  return [...byPeriod.values()].slice(0, count)
}

/**
 * The newest complete backup of each of the last `keep.daily` days that have one is kept, and of each of the last
 * `keep.weekly` weeks (UTC, from Monday). The newest complete backup is always kept, and everything newer than it.
 * Returns the others, oldest first.
 */
export function expiredBackups(backups: readonly Backup[], keep: RetentionPolicy): readonly Backup[] {
  const newestFirst = backups.toSorted((a, b) => b.takenMs - a.takenMs || (a.name < b.name ? 1 : -1))
  const complete = newestFirst.filter((backup) => backup.isComplete)
  const [newest] = complete
  if (newest === undefined) return []
  const kept = new Set([
    newest,
    ...newestOfEach(complete, dayOf, keep.daily),
    ...newestOfEach(complete, weekOf, keep.weekly),
  ])
  return newestFirst.filter((backup) => !kept.has(backup) && backup.takenMs < newest.takenMs).toReversed()
}
