/** Notices how a text is marked by those who wrote it: banners, classification lines, TLP. It does not guess at meaning. */

import type { Step } from '../core/step.ts'
import { patternOpening } from '../detection/partial-match.ts'
import { patternDetector } from '../detection/pattern.ts'
import { inspectAll } from '../detection/scan.ts'
import { MARKING_PATTERNS } from '../rules/classification-marking.ts'

/** Characters (UTF-16 code units) that a match can span, what it looks at around it among them. */
const REACH_CHARS = 96

const detect = patternDetector(MARKING_PATTERNS)

/** Kinds `class.internal`, `class.confidential`, `class.restricted`. */
export const step: Step = {
  name: 'classify_data',
  position: 260,
  category: 'classify_and_prepare',
  stages: ['request', 'response'],
  timeoutMs: 1_000,
  isLocal: true,
  reachChars: REACH_CHARS,
  opening: patternOpening(MARKING_PATTERNS, REACH_CHARS),
  inspect: (call) => inspectAll(call.segments, detect),
}
