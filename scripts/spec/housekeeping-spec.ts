/** The settings `housekeeping` and `drift`: what keeps a host in order while nobody looks, and from when on it says so. */
import * as v from 'valibot'

function whole(minimum: number, maximum: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(minimum), v.maxValue(maximum))
}

/** When something is done, in systemd's words; the host's systemd is asked before anything is changed. */
export const calendar = v.pipe(v.string(), v.regex(/^[\w*:,./~ -]+$/, 'must be a systemd calendar expression'))

const DAYS_MAX = 3650

/** Every key is optional. */
export const housekeepingSchema = v.optional(
  v.strictObject({
    /** When the check looks at certificate, license, secrets and disks. */
    checkSchedule: v.optional(calendar, '*-*-* 05:47:00 UTC'),
    /** After so many days a secret should be rotated. */
    secretDaysMax: v.optional(whole(1, DAYS_MAX), 365),
    /** So many days before its end a license is told of. */
    licenseDaysMin: v.optional(whole(0, DAYS_MAX), 30),
    /** What the journal may take of the disk. */
    journalMegabytesMax: v.optional(whole(64, 1_048_576), 1024),
    /** Whether security updates of the distribution are installed every day. */
    securityUpdates: v.optional(v.boolean(), true),
    /** Whether a time service is installed where there is none. */
    timeService: v.optional(v.boolean(), true),
  }),
  {} as never,
)

/** The parsed setting. */
export type HousekeepingSpec = v.InferOutput<typeof housekeepingSchema>

/** The setting `drift`: whether and how often a host is compared with what its last run left, and whether what differs is put back. Every key is optional. */
export const driftSchema = v.optional(
  v.strictObject({
    /** How often it is looked. */
    check: v.optional(v.picklist(['daily', 'hourly', 'off']), 'daily'),
    /** Whether what differs is put back after a look, by a run that is noted as any other. */
    repair: v.optional(v.boolean(), false),
  }),
  {} as never,
)

/** Returns what contradicts itself, with the keys that it is about. */
export function driftContradictions({
  check,
  repair,
}: v.InferOutput<typeof driftSchema>): readonly (readonly [keys: readonly string[], problem: string])[] {
  if (check !== 'off' || !repair) return []
  return [[['drift', 'repair'], 'needs a look: drift.check is off']]
}
