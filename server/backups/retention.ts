/**
 * Which backups expire: a pure rule over the backups that exist. It never reads the clock: only newer backups make
 * others expire.
 */

/**
 * `isVerified`: it was restored as a proof, or, of releases before 0.13, read to its end. Only such a one counts. `takenMs` is milliseconds since
 * 1970.
 */
export type Backup = Readonly<{ name: string; takenMs: number; isVerified: boolean }>

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
 * Of those that count, the newest of each of the last `keep.daily` days that have one is kept, and of each of the last `keep.weekly` weeks (UTC, from
 * Monday); the newest of them always. Of the others only the newest is kept, and only while nothing newer counts. Returns the rest, oldest first.
 */
export function expiredBackups(backups: readonly Backup[], keep: RetentionPolicy): readonly Backup[] {
  const newestFirst = backups.toSorted((a, b) => b.takenMs - a.takenMs || (a.name < b.name ? 1 : -1))
  const verified = newestFirst.filter(({ isVerified }) => isVerified)
  const [newest] = verified
  const unproven = newestFirst.find(({ isVerified }) => !isVerified)
  const kept = new Set([
    ...(newest === undefined ? [] : [newest]),
    ...newestOfEach(verified, dayOf, keep.daily),
    ...newestOfEach(verified, weekOf, keep.weekly),
    ...(unproven !== undefined && unproven.takenMs > (newest?.takenMs ?? 0) ? [unproven] : []),
  ])
  return newestFirst.filter((backup) => !kept.has(backup)).toReversed()
}
