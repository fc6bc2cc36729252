/** Detects credentials, in requests and responses, plain, disguised or encoded. It stores none of them. */

import { originOf, type Segment } from '../core/call.ts'
import type { LocalStep } from '../core/step.ts'
import type { Engine } from '../detection/engine.ts'
import { isOfExample, isSaidAbove } from '../detection/example-context.ts'
import type { Match } from '../detection/pattern.ts'

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
    inspect: (call) => {
      const origin = originOf(call)
      const options = { yielding: YIELDING_KINDS, origin }
      return engine.scan(
        call.segments,
        detect,
        origin === 'request' ? { ...options, weigh: weighedInDocument } : options,
      )
    },
  }
}

/** What a document gives as an example is noted: values without a form of their own beside hosts of examples, and hashes of passwords that it tells. */
function weighedInDocument(matches: readonly Match[], { author, text }: Segment): readonly Match[] {
  if (author !== 'tool') return matches
  return matches.map((match) => {
    const isExample =
      (match.kind === 'secret.assignment' && isOfExample(text, match.start)) ||
      (match.kind === 'secret.password_hash' && isSaidAbove(text, match.start))
    return isExample ? { ...match, confidence: Math.min(match.confidence, EXAMPLE_CONFIDENCE) } : match
  })
}

/** Below what the default policy refuses. */
const EXAMPLE_CONFIDENCE = 0.4
