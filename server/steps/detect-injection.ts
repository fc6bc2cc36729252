/**
 * Notices texts that try to take hold of the model: by phrases, stricter where nobody gives orders (tools, documents), and
 * by manner, with a small linear model. Each author's texts are a channel of their own.
 */
import type { Author, Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import { FOREIGN_PHRASES } from '../core/foreign-phrase.ts'
import { type InjectionModel, windowScore, windowsOf } from '../core/injection-model.ts'
import { INJECTION_PHRASES } from '../core/injection-phrase.ts'
import { INJECTION_WEIGHTS } from '../core/injection-weights.ts'
import { inspectAll } from '../core/inspection.ts'
import type { Match } from '../core/pattern.ts'
import { isHeard } from '../core/phrase.ts'
import { phraseDetector } from '../core/phrase-detector.ts'
import type { Step } from '../core/step.ts'

const detectPhrases = phraseDetector([...INJECTION_PHRASES, ...FOREIGN_PHRASES])

const model: InjectionModel = {
  weights: new Int8Array(Buffer.from(INJECTION_WEIGHTS.base64, 'base64')),
  scale: INJECTION_WEIGHTS.scale,
  bias: INJECTION_WEIGHTS.bias,
}

/**
 * The application's own words are not an attack on it, and what the model said before is judged when it is said: there
 * a finding is worth a note, below the default policy's threshold of 0.8.
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
const SURE_MAX = 0.97

/** Log-odds added to the model's score, so that 0.8 is where cross-validation puts the threshold (bench/detectors.ts). */
const CALIBRATION = Math.log(0.8 / 0.2)
const SUSPICIOUS = 0.5
const MODEL_CHARS_MIN = 24

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
  const { author } = segment
  const phrases = inspectAll([segment], (text) => detectPhrases(text, ({ channel }) => isHeard(channel, author)))
  // Definitions of tools give orders by nature; the model was not made for them.
  const manners = author === 'schema' ? [] : inspectAll([segment], detectManner)
  const confidenceMax = CONFIDENCE_MAX[author]
  return [...raiseSurest(phrases), ...manners].map((finding) => ({
    ...finding,
    confidence: Math.min(confidenceMax, finding.confidence),
  }))
}

/** The worst window of a text, when it is at least suspicious. */
function detectManner(text: string): readonly Match[] {
  if (text.length < MODEL_CHARS_MIN) return []
  let worst: Match | undefined
  for (const [start, end] of windowsOf(text)) {
    const score = windowScore(model, start === 0 && end === text.length ? text : text.slice(start, end))
    const confidence = Math.min(SURE_MAX, toHundredths(1 / (1 + Math.exp(-score - CALIBRATION))))
    if (confidence < SUSPICIOUS || confidence <= (worst?.confidence ?? 0)) continue
    worst = { kind: 'injection.manner', severity: confidence >= 0.8 ? 'high' : 'low', confidence, start, end }
  }
  return worst === undefined ? [] : [worst]
}

function raiseSurest(findings: readonly Finding[]): readonly Finding[] {
  const surest = findings.toSorted((a, b) => b.confidence - a.confidence)[0]
  if (surest === undefined || surest.confidence >= SURE_MAX) return findings
  const confidence = Math.min(SURE_MAX, toHundredths(surest.confidence + FURTHER * (findings.length - 1)))
  return findings.map((finding) => (finding === surest ? { ...finding, confidence } : finding))
}

const toHundredths = (value: number): number => Math.round(value * 100) / 100
