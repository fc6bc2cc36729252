/**
 * Notices personal data that have a form: addresses and numbers, most of them with check digits. Names and postal
 * addresses have none and are not attempted.
 */
import { inspectAll } from '../core/inspection.ts'
import { patternDetector } from '../core/pattern.ts'
import { phoneDetector } from '../core/phone.ts'
import { numberDetector } from '../core/pii-number.ts'
import { PII_PATTERNS } from '../core/pii-pattern.ts'
import type { Step } from '../core/step.ts'

const named = patternDetector(PII_PATTERNS)

/** A number with a check digit of its own is no telephone number as well. */
const VAGUE = new Set(['pii.phone'])

/** Kinds `pii.*`. */
export const step: Step = {
  name: 'detect_pii',
  position: 200,
  category: 'data_protection',
  stages: ['request', 'response'],
  timeoutMs: 2_000,
  reachChars: 256,
  inspect: (call) =>
    inspectAll(call.segments, (text) => [...named(text), ...numberDetector(text), ...phoneDetector(text)], VAGUE),
}
