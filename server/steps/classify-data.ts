/** Detects classification markings: banners, classification lines, TLP. It does not infer from meaning. */

import type { LocalStep } from '../core/step.ts'
import { pendingFromPatterns } from '../detection/partial-match.ts'
import { createPatternDetector } from '../detection/pattern.ts'
import { scanSegments } from '../detection/scan.ts'
import { MARKING_PATTERNS } from '../rules/classification-marking.ts'

/** The longest text (UTF-16 code units) that a match can span, including lookaround. */
const MATCH_CHARS_MAX = 96

const detect = createPatternDetector(MARKING_PATTERNS)

/** Kinds `class.internal`, `class.confidential`, `class.restricted`. */
export const step: LocalStep = {
  name: 'classify_data',
  position: 260,
  category: 'classify_and_prepare',
  stages: ['request', 'response'],
  isCacheable: true,
  matchCharsMax: MATCH_CHARS_MAX,
  pendingFrom: pendingFromPatterns(MARKING_PATTERNS, MATCH_CHARS_MAX),
  inspect: (call) => scanSegments(call.segments, detect),
}
