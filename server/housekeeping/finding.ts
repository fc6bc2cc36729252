/** What of a host is well, will not be for long, or is not: judged from what was read, with the time as an argument. */
import { FREE_INODES_SHARE_MIN, FREE_MEGABYTES_MIN, LIFE_SHARE_MIN } from '../../contract/health-limit.ts'
import { type LicenseCheck, licenseEndMs } from '../../contract/license.ts'

/** `soon` is told ahead; `failed` is not well now. */
export type Level = 'ok' | 'soon' | 'failed'

/** One thing that was looked at. `subject` is which one, `expiresMs` when it ends, `freeBytes` what is left of it, `takenMs` when the newest backup that counts was taken. */
export type Finding = Readonly<{
  check: 'certificate' | 'svid' | 'license' | 'secret' | 'disk' | 'backup' | 'backup-copy' | 'webhook'
  subject: string
  level: Level
  state: string
  expiresMs?: number
  freeBytes?: number
  takenMs?: number
}>

/** When something begins and ends to be valid. */
export type Validity = Readonly<{ fromMs: number; untilMs: number }>

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** Returns a length of time in the largest unit that says enough. */
export function spanText(ms: number): string {
  if (ms >= 2 * DAY_MS) return `${Math.floor(ms / DAY_MS)} days`
  return ms >= 2 * HOUR_MS ? `${Math.floor(ms / HOUR_MS)} h` : `${Math.max(0, Math.floor(ms / 60_000))} min`
}

/** Judges a certificate that is renewed by a program; undefined: nothing answered, or it could not be read. */
export function judgeValidity(
  check: 'certificate' | 'svid',
  subject: string,
  validity: Validity | undefined,
  nowMs: number,
): Finding {
  if (validity === undefined) return { check, subject, level: 'failed', state: 'there is none that can be read' }
  const { fromMs, untilMs: expiresMs } = validity
  const leftMs = expiresMs - nowMs
  if (leftMs <= 0) return { check, subject, level: 'failed', state: `expired ${spanText(-leftMs)} ago`, expiresMs }
  const isLate = leftMs < (expiresMs - fromMs) * LIFE_SHARE_MIN
  const state = `${spanText(leftMs)} left${isLate ? ': it was not renewed in time' : ''}`
  return { check, subject, level: isLate ? 'soon' : 'ok', state, expiresMs }
}

/** Judges a license; none is nothing to look at. */
export function judgeLicense(
  found: LicenseCheck | undefined,
  { nowMs, daysMin }: Readonly<{ nowMs: number; daysMin: number }>,
): readonly Finding[] {
  if (found === undefined) return []
  const about = { check: 'license', subject: 'tappass-license' } as const
  if (found.status === 'invalid') return [{ ...about, level: 'failed', state: `invalid: ${found.reason}` }]
  const { expires } = found.license
  const expiresMs = licenseEndMs(expires ?? '') ?? Number.POSITIVE_INFINITY
  const leftMs = expiresMs - nowMs
  if (leftMs < 0) return [{ ...about, level: 'failed', state: `expired on ${expires}`, expiresMs }]
  const level = leftMs < daysMin * DAY_MS ? 'soon' : 'ok'
  return [{ ...about, level, state: `${spanText(leftMs)} left, until ${expires}`, expiresMs }]
}

/** Judges how long ago a secret was stored: after that many days it should be rotated. */
export function judgeSecret(
  subject: string,
  storedMs: number,
  { nowMs, daysMax }: Readonly<{ nowMs: number; daysMax: number }>,
): Finding {
  const expiresMs = storedMs + daysMax * DAY_MS
  const age = `${spanText(Math.max(0, nowMs - storedMs))} old`
  return nowMs <= expiresMs
    ? { check: 'secret', subject, level: 'ok', state: age, expiresMs }
    : { check: 'secret', subject, level: 'soon', state: `${age}, more than ${daysMax} days: rotate it`, expiresMs }
}

/** The proof of a backup may take so long; one that has none by then has failed. */
const PROOF_HOURS_MAX = 7

/** Judges the backups in a folder, the newest first: one that was not proven does not count. How old one may be, its alert says. */
export function judgeBackups(
  subject: string,
  sets: readonly Readonly<{ name: string; takenMs: number; isProven: boolean }>[],
  nowMs: number,
): readonly Finding[] {
  const [newest] = sets
  if (newest === undefined) return []
  const proven = sets.find(({ isProven }) => isProven)
  const taken = proven === undefined ? {} : { takenMs: proven.takenMs }
  const about = { check: 'backup', subject, ...taken } as const
  const counts =
    proven === undefined ? 'none counts' : `the newest that counts is ${spanText(nowMs - proven.takenMs)} old`
  const isOverdue = !newest.isProven && nowMs - newest.takenMs > PROOF_HOURS_MAX * HOUR_MS
  return isOverdue
    ? [{ ...about, level: 'failed', state: `${newest.name} was never proven; ${counts}` }]
    : [{ ...about, level: 'ok', state: counts }]
}

/** Of a file system. Sizes are bytes; one that keeps no inodes has 0 of them. */
export type DiskState = Readonly<{ bytes: number; freeBytes: number; inodes: number; freeInodes: number }>

/** With less than this share free it will be short before long. */
const FREE_SHARE_SOON = 0.2

/** Judges a file system; undefined: it could not be asked. */
export function judgeDisk(subject: string, disk: DiskState | undefined): Finding {
  const about = { check: 'disk', subject } as const
  if (disk === undefined) return { ...about, level: 'failed', state: 'it cannot be asked' }
  const { bytes, freeBytes, inodes, freeInodes } = disk
  const megabytes = Math.floor(freeBytes / 2 ** 20)
  const areInodesShort = inodes > 0 && freeInodes < inodes * FREE_INODES_SHARE_MIN
  const state = `${megabytes} MB free${areInodesShort ? `, only ${freeInodes} inodes` : ''}`
  const isShort = megabytes < FREE_MEGABYTES_MIN || areInodesShort
  const level = isShort ? 'failed' : freeBytes < bytes * FREE_SHARE_SOON ? 'soon' : 'ok'
  return { ...about, level, state, freeBytes }
}
