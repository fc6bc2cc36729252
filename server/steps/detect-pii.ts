/**
 * Notices personal data that have a form: addresses and numbers, most of them with check digits. Names and postal
 * addresses have none and are not attempted.
 */
import { inspectAll } from '../core/inspection.ts'
import { patternOpening } from '../core/open-pattern.ts'
import { firstOpening } from '../core/opening.ts'
import { type Detector, patternDetector } from '../core/pattern.ts'
import { phoneDetector, phoneOpening } from '../core/phone.ts'
import { numberDetector, numberOpening } from '../core/pii-number.ts'
import { PII_PATTERNS } from '../core/pii-pattern.ts'
import type { Step } from '../core/step.ts'

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
