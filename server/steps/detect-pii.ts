/**
 * Detects personal data that have a format: addresses and numbers, most of them with checksums. Names and postal
 * addresses have none and are not attempted.
 */

import { originOf } from '../core/call.ts'
import type { LocalStep } from '../core/step.ts'
import type { Engine } from '../detection/engine.ts'

/** The longest text (UTF-16 code units) that a match can span, including lookaround. */
const MATCH_CHARS_MAX = 256

/** A number with a checksum of its own is not also a telephone number. */
const YIELDING_KINDS = new Set(['pii.phone'])

/** Kinds `pii.*`. */
export function createStep(engine: Engine): LocalStep {
  const rules = engine.rules('pii')
  const detect = engine.detector(rules)
  return {
    name: 'detect_pii',
    position: 200,
    category: 'data_protection',
    stages: ['request', 'response'],
    isCacheable: true,
    matchCharsMax: MATCH_CHARS_MAX,
    pendingFrom: engine.pendingFrom(rules, MATCH_CHARS_MAX),
    inspect: (call) => engine.scan(call.segments, detect, { yielding: YIELDING_KINDS, origin: originOf(call) }),
  }
}
