/**
 * Detects personal data that have a format: addresses and numbers, most of them with checksums. Names and postal
 * addresses have none and are not attempted.
 */

import type { LocalStep } from '../core/step.ts'
import type { Engine } from '../detection/engine.ts'
import type { Detector } from '../detection/pattern.ts'
import { earliestPending } from '../detection/pending-match.ts'
import { LABELLED_PATTERNS } from '../rules/pii/labelled-pattern.ts'
import { numberDetector, pendingFromNumbers } from '../rules/pii/number-pattern.ts'
import { pendingFromPhones, phoneDetector } from '../rules/pii/phone-pattern.ts'

/** The longest text (UTF-16 code units) that a match can span, including lookaround. */
const MATCH_CHARS_MAX = 256

/** A number with a checksum of its own is not also a telephone number. */
const YIELDING_KINDS = new Set(['pii.phone'])

/** Kinds `pii.*`. */
export function createStep(engine: Engine): LocalStep {
  const detectLabelled = engine.patternDetector(LABELLED_PATTERNS)
  const detect: Detector = (text, keywords) => {
    const labelled = detectLabelled(text, keywords)
    const numbers = [...numberDetector(text), ...phoneDetector(text)]
    return numbers.length === 0 ? labelled : [...labelled, ...numbers]
  }
  return {
    name: 'detect_pii',
    position: 200,
    category: 'data_protection',
    stages: ['request', 'response'],
    isCacheable: true,
    matchCharsMax: MATCH_CHARS_MAX,
    pendingFrom: earliestPending([
      engine.pendingFrom(LABELLED_PATTERNS, MATCH_CHARS_MAX),
      pendingFromNumbers(MATCH_CHARS_MAX),
      pendingFromPhones(MATCH_CHARS_MAX),
    ]),
    inspect: (call) => engine.scan(call.segments, detect, YIELDING_KINDS),
  }
}
