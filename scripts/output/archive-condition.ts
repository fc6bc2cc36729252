/** The archived log of the database, as `status` judges it: whether any moment can be gone back to, and how far behind it is. */
import { ageText, type Condition, type Values } from './condition.ts'

/** PostgreSQL tries again every minute. */
const WAITING_SECONDS_MAX = 300
/** Twice the time between two nights. */
const AGE_SECONDS_MAX = 2 * 86_400

/** `base-20261127T031700Z` in seconds since 1970. */
function secondsOf(name: string): number {
  const [, year = '', month, day, hour, minute, second] =
    /^base-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(name) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000
}

/** Returns nothing for a host that archives none. */
export function judgeArchive({ one, all }: Values): readonly Condition[] {
  if (one('ARCHIVE') !== 'on') return []
  const condition = (isWell: boolean, state: string): readonly Condition[] => [{ name: 'point-in-time', state, isWell }]
  const now = Number(one('NOW'))
  const [, segment, at, ...reason] = one('ARCHIVE_GAP').split(' ')
  if (at !== undefined)
    return condition(
      false,
      `the log was let go at ${at} (${segment}: ${reason.join(' ')}): no moment since, before the next base backup`,
    )
  const waiting = now - Number(one('ARCHIVE_WAITS') || now)
  if (waiting > WAITING_SECONDS_MAX)
    return condition(false, `the log has waited for ${ageText(waiting)} to be archived`)
  const ages = all('ARCHIVE_BASE').map((name) => now - secondsOf(name))
  if (ages.length === 0) return condition(true, 'no base backup yet: the next backup takes one')
  const state = `any moment of the last ${ageText(Math.max(...ages))}`
  const newest = Math.min(...ages)
  return newest > AGE_SECONDS_MAX
    ? condition(false, `${state}, but the newest base backup is ${ageText(newest)} old`)
    : condition(true, state)
}
