/** Detects classification markings: banners, classification lines, TLP. It does not infer from meaning. */

import { originOf } from '../core/call.ts'
import type { LocalStep } from '../core/step.ts'
import type { Engine } from '../detection/engine.ts'

/** The longest text (UTF-16 code units) that a match can span, including lookaround. */
const MATCH_CHARS_MAX = 96

/** Kinds `class.internal`, `class.confidential`, `class.restricted`. */
export function createStep(engine: Engine): LocalStep {
  const rules = engine.rules('class')
  const detect = engine.detector(rules)
  return {
    name: 'classify_data',
    position: 260,
    category: 'classify_and_prepare',
    stages: ['request', 'response'],
    isCacheable: true,
    matchCharsMax: MATCH_CHARS_MAX,
    pendingFrom: engine.pendingFrom(rules, MATCH_CHARS_MAX),
    inspect: (call) => engine.scan(call.segments, detect, { origin: originOf(call) }),
  }
}
