/**
 * The generic cell rate algorithm (GCRA): a token bucket as one number a key, the time at which the bucket will be
 * full again.
 */

/** Whether a call is allowed, how many more are, and when that changes. */
export type GcraResult = Readonly<{ isAllowed: boolean; remaining: number; resetMs: number; fullAtMs: number }>

/**
 * Takes one call out of a bucket that holds `callsMax` and refills evenly within `windowMs`. `fullAtMs` is from the
 * last result, or 0. `resetMs`: until the bucket is full again, or, when the call is not allowed, until the next one
 * is. A time further ahead than a window was noted before the clock was set back: the bucket counts as empty then, and fills within a window.
 */
export function takeFromBucket(fullAtMs: number, callsMax: number, windowMs: number, nowMs: number): GcraResult {
  const callMs = windowMs / callsMax
  const known = Math.min(fullAtMs, nowMs + windowMs)
  const full = Math.max(known, nowMs) + callMs
  const overMs = full - nowMs - windowMs
  // Times are doubles: sums of fractions of a millisecond drift, by much less than this.
  if (overMs > Math.min(callMs / 2, 0.5))
    return { isAllowed: false, remaining: 0, resetMs: Math.ceil(overMs), fullAtMs: known }
  const remaining = Math.max(0, Math.floor((windowMs - (full - nowMs)) / callMs + 1 / 20))
  return { isAllowed: true, remaining, resetMs: Math.ceil(full - nowMs), fullAtMs: full }
}
