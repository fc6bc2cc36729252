/**
 * Detects responses that would exfiltrate data when they are displayed: images and links that a client fetches,
 * addresses with data packed into them, active markup, and invisible text.
 */

import { originOf } from '../core/call.ts'
import type { LocalStep } from '../core/step.ts'
import type { Engine } from '../detection/engine.ts'
import { type Detector, MATCHES_MAX, type Match } from '../detection/pattern.ts'
import { earliestPending } from '../detection/pending-match.ts'

/** The longest text (UTF-16 code units) that a match can span, including lookaround. */
const MATCH_CHARS_MAX = 256

/** Invisible characters. A run of them is text for a machine when it is longer than spelling needs. */
const INVISIBLE_RUN = /(?:[\ufe00-\ufe0f\u200b-\u200f\u2060-\u2064\ufeff]|\udb40[\udc00-\uddef])+/g
const INVISIBLE_CHARS_MIN = 8

/** The tags of a flag: two to eight, and the one that ends them. */
const FLAG = /^(?:\udb40[\udc30-\udc39\udc61-\udc7a]){2,8}\udb40\udc7f$/

/** What each run begins with; most texts have none. */
const INVISIBLE = /[\ufe00-\ufe0f\u200b-\u200f\u2060-\u2064\ufeff\udb40]/
const NO_MATCHES: readonly Match[] = []

/** The same for one code unit, including half of a surrogate pair. */
const INVISIBLE_CHARACTER = /[\ufe00-\ufe0f\u200b-\u200f\u2060-\u2064\ufeff\udc00-\uddef]|\udb40/

/** Index where invisible characters start that reach the end and may continue. */
function pendingInvisibleStart(text: string): number {
  let start = text.length
  while (start > 0 && INVISIBLE_CHARACTER.test(text.charAt(start - 1))) start--
  return start
}

function hiddenTexts(text: string): readonly Match[] {
  if (!INVISIBLE.test(text)) return NO_MATCHES
  const matches: Match[] = []
  for (const { 0: run, index: start } of text.matchAll(INVISIBLE_RUN)) {
    if (run.length < INVISIBLE_CHARS_MIN || FLAG.test(run)) continue
    const end = start + run.length
    matches.push({ kind: 'exfiltration.hidden_text', severity: 'high', confidence: 0.9, start, end })
    if (matches.length > MATCHES_MAX) break
  }
  return matches
}

/** Kinds `exfiltration.*`. */
export function createStep(engine: Engine): LocalStep {
  const rules = engine.rules('exfiltration')
  const detectPatterns = engine.detector(rules)
  const detect: Detector = (text, keywords) => {
    const [matches, hidden] = [detectPatterns(text, keywords), hiddenTexts(text)]
    return hidden.length === 0 ? matches : [...matches, ...hidden]
  }
  return {
    name: 'scan_output',
    position: 700,
    category: 'response_safety',
    stages: ['response'],
    matchCharsMax: MATCH_CHARS_MAX,
    pendingFrom: earliestPending([engine.pendingFrom(rules, MATCH_CHARS_MAX), pendingInvisibleStart]),
    inspect: (call) => engine.scan(call.segments, detect, { origin: originOf(call) }),
  }
}
