/** The arithmetic of a token bucket, as one number a key: the moment at which the bucket will be full again (GCRA). */

/** What a look at a bucket returns: whether a call may pass, how many more may, and when something changes. */
export type GcraResult = Readonly<{ isAllowed: boolean; remaining: number; resetMs: number; fullAtMs: number }>

/**
 * Takes a call out of a bucket that holds `callsMax` and fills evenly within `windowMs`. `fullAtMs` is what the last look gave,
 * or 0. `resetMs`: until the bucket is full again, or, when the call is refused, until the next one may pass.
 */
export function takeFromBucket(fullAtMs: number, callsMax: number, windowMs: number, nowMs: number): GcraResult {
  const callMs = windowMs / callsMax
  const full = Math.max(fullAtMs, nowMs) + callMs
  const overMs = full - nowMs - windowMs
  // Moments are kept as numbers of 53 bits: sums of fractions of a millisecond drift, by much less than this.
  if (overMs > Math.min(callMs / 2, 0.5))
    return { isAllowed: false, remaining: 0, resetMs: Math.ceil(overMs), fullAtMs }
  const remaining = Math.max(0, Math.floor((windowMs - (full - nowMs)) / callMs + 1 / 20))
  return { isAllowed: true, remaining, resetMs: Math.ceil(full - nowMs), fullAtMs: full }
}
