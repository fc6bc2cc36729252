/** One text for one value: what digests are taken of, and what is written where two texts are compared. */
import { sha256Of } from './sha256.ts'

function ordered(_: string, value: unknown): unknown {
  if (value instanceof Map || value instanceof Set) return [...value]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/** Returns JSON with the keys of every object in order; maps and sets as lists. */
export function canonicalJson(value: unknown, indent = 0): string {
  return JSON.stringify(value ?? null, ordered, indent)
}

/** Returns the SHA-256 of a value's canonical JSON, in lower-case hex. */
export function digestOf(value: unknown): string {
  return sha256Of(canonicalJson(value))
}
