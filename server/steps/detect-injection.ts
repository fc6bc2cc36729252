/** Notices texts that try to take hold of the model, by phrases; stricter where nobody gives orders: tools and documents. */
import type { Author, Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import { INJECTION_PHRASES, isHeard } from '../core/injection-pattern.ts'
import { inspectAll } from '../core/inspection.ts'
import { phraseDetector } from '../core/phrase-detector.ts'
import type { Step } from '../core/step.ts'

const detect = phraseDetector(INJECTION_PHRASES)

/**
 * The application's own words are not an attack on it, and what the model said before is judged when it is said: there
 * a phrase is worth a note, below the default policy's threshold of 0.8.
 */
const CONFIDENCE_MAX: Readonly<Record<Author, number>> = {
  user: 1,
  tool: 1,
  schema: 1,
  other: 1,
  system: 0.6,
  assistant: 0.6,
}

/** Each further phrase in the same text makes the surest one surer by this much, up to 0.97. */
const FURTHER = 0.1
const FURTHER_MAX = 0.97

/** Kinds `injection.*`. The default policy refuses from confidence 0.8 on. */
export const step: Step = {
  name: 'detect_injection',
  position: 300,
  category: 'threat_detection',
  stages: ['request'],
  timeoutMs: 2_000,
  inspect: (call) => call.segments.flatMap(inspectSegment),
}

function inspectSegment(segment: Segment): readonly Finding[] {
  const most = CONFIDENCE_MAX[segment.author]
  const findings = inspectAll([segment], (text) => detect(text, ({ channel }) => isHeard(channel, segment.author)))
  const surest = findings.toSorted((a, b) => b.confidence - a.confidence)[0]
  if (surest === undefined) return []
  const raised = Math.max(surest.confidence, Math.min(FURTHER_MAX, surest.confidence + FURTHER * (findings.length - 1)))
  return findings.map((finding) => ({
    ...finding,
    confidence: Math.min(most, finding === surest ? raised : finding.confidence),
  }))
}
