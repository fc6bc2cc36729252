/** The setting `drift`: whether and how often a host is compared with what its last run left, and whether what differs is put back. */
import * as v from 'valibot'

/** Every key is optional. */
export const driftSchema = v.optional(
  v.strictObject({
    /** How often it is looked. */
    check: v.optional(v.picklist(['daily', 'hourly', 'off']), 'daily'),
    /** Whether what differs is put back after a look, by a run that is noted as any other. */
    repair: v.optional(v.boolean(), false),
  }),
  {} as never,
)

/** The parsed setting. */
export type DriftSpec = v.InferOutput<typeof driftSchema>

/** Returns what contradicts itself, with the keys that it is about. */
export function driftContradictions({
  check,
  repair,
}: DriftSpec): readonly (readonly [keys: readonly string[], problem: string])[] {
  if (check !== 'off' || !repair) return []
  return [[['drift', 'repair'], 'needs a look: drift.check is off']]
}
