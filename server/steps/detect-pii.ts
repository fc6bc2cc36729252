/**
 * Notices personal data that have a form: addresses and numbers, most of them with check digits. Names and postal
 * addresses have none and are not attempted.
 */

import type { Step } from '../core/step.ts'
import { patternOpening } from '../detection/partial-match.ts'
import { type Detector, patternDetector } from '../detection/pattern.ts'
import { firstOpening } from '../detection/pending-match.ts'
import { inspectAll } from '../detection/scan.ts'
import { PII_PATTERNS } from '../rules/pii/labelled-pattern.ts'
import { numberDetector, numberOpening } from '../rules/pii/number-pattern.ts'
import { phoneDetector, phoneOpening } from '../rules/pii/phone-pattern.ts'

/** Characters (UTF-16 code units) that a match can span, what it looks at around it among them. */
const REACH_CHARS = 256

const named = patternDetector(PII_PATTERNS)

const detect: Detector = (text, keywords) => {
  const behindWords = named(text, keywords)
  const numbers = [...numberDetector(text), ...phoneDetector(text)]
  return numbers.length === 0 ? behindWords : [...behindWords, ...numbers]
}

/** A number with a check digit of its own is no telephone number as well. */
const VAGUE = new Set(['pii.phone'])

/** Kinds `pii.*`. */
export const step: Step = {
  name: 'detect_pii',
  position: 200,
  category: 'data_protection',
  stages: ['request', 'response'],
  timeoutMs: 2_000,
  isLocal: true,
  reachChars: REACH_CHARS,
  opening: firstOpening([
    patternOpening(PII_PATTERNS, REACH_CHARS),
    numberOpening(REACH_CHARS),
    phoneOpening(REACH_CHARS),
  ]),
  inspect: (call) => inspectAll(call.segments, detect, VAGUE),
}
