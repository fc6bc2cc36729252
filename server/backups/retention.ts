/** Which backups may go: a pure rule over what is there. It never looks at the clock: only backups age each other. */

/** `isWhole`: it has a manifest, which is written only after the dump was checked. `takenMs` is milliseconds since 1970. */
export type Backup = Readonly<{ name: string; takenMs: number; isComplete: boolean }>

/** How many days and weeks keep a backup. At least one of each kind of period that is asked for. */
export type RetentionPolicy = Readonly<{ daily: number; weekly: number }>

const DAY_MS = 86_400_000

const dayOf = (ms: number): number => Math.floor(ms / DAY_MS)

/** Weeks run from Monday; 1 January 1970 was a Thursday. */
const weekOf = (ms: number): number => Math.floor((dayOf(ms) + 3) / 7)

/** The newest of each of the last `count` periods in which there is one. */
const newestOfEach = (
  newestFirst: readonly Backup[],
  period: (ms: number) => number,
  count: number,
): readonly Backup[] => {
  const byPeriod = new Map<number, Backup>()
  for (const backup of newestFirst) {
    const key = period(backup.takenMs)
    if (!byPeriod.has(key)) byPeriod.set(key, backup)
  }
  return [...byPeriod.values()].slice(0, count)
}

/**
 * The rule: the newest backup of each of the last `keep.daily` days that have one is kept, and of each of the last `keep.weekly`
 * weeks (UTC, from Monday). Only whole backups count. Whatever is newer than the newest whole one stays, and so does that one:
 * nothing goes unless a whole and newer one is there. Returns those that may go, oldest first.
 */
export const expiredBackups = (backups: readonly Backup[], keep: RetentionPolicy): readonly Backup[] => {
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
