/** Notices credentials, in what is asked and in what is answered, plain, disguised or encoded. It keeps none of them. */
import { inspectAll } from '../core/inspection.ts'
import { patternOpening } from '../core/open-pattern.ts'
import { patternDetector } from '../core/pattern.ts'
import { SECRET_ASSIGNMENTS } from '../core/secret-assignment.ts'
import { SECRET_PATTERNS } from '../core/secret-pattern.ts'
import type { Step } from '../core/step.ts'

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
