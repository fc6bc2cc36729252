/** Durations as they are typed: a number and s, m, h or d. */

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Returns the seconds of `90s`, `30m`, `12h` or `7d`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const seconds = SECONDS[unit]
  return count === undefined || seconds === undefined ? undefined : Number(count) * seconds
}
