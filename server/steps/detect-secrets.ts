/** Notices credentials, in what is asked and in what is answered, plain, disguised or encoded. It keeps none of them. */

import type { Step } from '../core/step.ts'
import { patternOpening } from '../detection/partial-match.ts'
import { patternDetector } from '../detection/pattern.ts'
import { inspectAll } from '../detection/scan.ts'
import { SECRET_ASSIGNMENTS } from '../rules/secrets/assignment-pattern.ts'
import { SECRET_PATTERNS } from '../rules/secrets/token-pattern.ts'

/** Characters (UTF-16 code units) that a match can span, what it looks at around it among them. */
const REACH_CHARS = 256

const PATTERNS = [...SECRET_PATTERNS, ...SECRET_ASSIGNMENTS]

const detect = patternDetector(PATTERNS)

/** A named value that also has a shape of its own is reported by its shape. */
const VAGUE = new Set(['secret.assignment'])

/** Kinds `secret.*`. From confidence 0.5 on the default policy refuses. */
export const step: Step = {
  name: 'detect_secrets',
  position: 220,
  category: 'data_protection',
  stages: ['request', 'response'],
  timeoutMs: 2_000,
  isLocal: true,
  reachChars: REACH_CHARS,
  opening: patternOpening(PATTERNS, REACH_CHARS),
  inspect: (call) => inspectAll(call.segments, detect, VAGUE),
}
