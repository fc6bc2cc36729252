/** Detects credentials, in requests and responses, plain, disguised or encoded. It stores none of them. */

import { originOf } from '../core/call.ts'
import type { LocalStep } from '../core/step.ts'
import type { Engine } from '../detection/engine.ts'

/** The longest text (UTF-16 code units) that a match can span, including lookaround. */
const MATCH_CHARS_MAX = 256

/** A named value that also has a format of its own is reported by its format. */
const YIELDING_KINDS = new Set(['secret.assignment'])

/** Kinds `secret.*`. From confidence 0.5 on the default policy refuses. */
export function createStep(engine: Engine): LocalStep {
  const rules = engine.rules('secret')
  const detect = engine.detector(rules)
  return {
    name: 'detect_secrets',
    position: 220,
    category: 'data_protection',
    stages: ['request', 'response'],
    isCacheable: true,
    matchCharsMax: MATCH_CHARS_MAX,
    pendingFrom: engine.pendingFrom(rules, MATCH_CHARS_MAX),
    inspect: (call) => engine.scan(call.segments, detect, { yielding: YIELDING_KINDS, origin: originOf(call) }),
  }
}
