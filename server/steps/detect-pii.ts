/**
 * Detects personal data that have a format: addresses and numbers, most of them with checksums. Names and postal
 * addresses have none and are not attempted.
 */

import type { LocalStep } from '../core/step.ts'
import { pendingFromPatterns } from '../detection/partial-match.ts'
import { createPatternDetector, type Detector } from '../detection/pattern.ts'
import { earliestPending } from '../detection/pending-match.ts'
import { scanSegments } from '../detection/scan.ts'
import { LABELLED_PATTERNS } from '../rules/pii/labelled-pattern.ts'
import { numberDetector, pendingFromNumbers } from '../rules/pii/number-pattern.ts'
import { pendingFromPhones, phoneDetector } from '../rules/pii/phone-pattern.ts'

/** The longest text (UTF-16 code units) that a match can span, including lookaround. */
const MATCH_CHARS_MAX = 256

const detectLabelled = createPatternDetector(LABELLED_PATTERNS)

const detect: Detector = (text, keywords) => {
  const labelled = detectLabelled(text, keywords)
  const numbers = [...numberDetector(text), ...phoneDetector(text)]
  return numbers.length === 0 ? labelled : [...labelled, ...numbers]
}

/** A number with a checksum of its own is not also a telephone number. */
const YIELDING_KINDS = new Set(['pii.phone'])

/** Kinds `pii.*`. */
export const step: LocalStep = {
  name: 'detect_pii',
  position: 200,
  category: 'data_protection',
  stages: ['request', 'response'],
  isCacheable: true,
  matchCharsMax: MATCH_CHARS_MAX,
  pendingFrom: earliestPending([
    pendingFromPatterns(LABELLED_PATTERNS, MATCH_CHARS_MAX),
    pendingFromNumbers(MATCH_CHARS_MAX),
    pendingFromPhones(MATCH_CHARS_MAX),
  ]),
  inspect: (call) => scanSegments(call.segments, detect, YIELDING_KINDS),
}
