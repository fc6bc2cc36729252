/**
 * Detects prompt injection: by phrases, with stricter ones for tool results and documents, and with a small linear
 * classifier. Each author's texts are scanned separately.
 */
import type { Author, Segment } from '../../core/call.ts'
import type { Finding } from '../../core/finding.ts'
import type { Engine } from '../../detection/engine.ts'
import type { Match } from '../../detection/pattern.ts'
import { appliesTo } from '../../detection/phrase.ts'
import { createWindowScore, type InjectionModel, windowsOf } from './linear-model.ts'

/**
 * The application's own words are not an attack on it, and what the model said before was evaluated as a response:
 * there a finding is informational, below the default policy's threshold of 0.8.
 */
const CONFIDENCE_MAX: Readonly<Record<Author, number>> = {
  user: 1,
  tool: 1,
  schema: 1,
  other: 1,
  system: 0.6,
  assistant: 0.6,
}

/**
 * Each further phrase nearby raises the confidence of the strongest finding by this much, up to 0.97. Distant ones
 * don't count.
 */
const CORROBORATION = 0.1
const NEAR_CHARS = 1_500
const CORROBORATED_MAX = 0.97

/** Log-odds added to the model's score, so that 0.8 is where cross-validation puts the threshold (bench/detectors.ts). */
const CALIBRATION = Math.log(0.8 / 0.2)
const CLASSIFIER_CONFIDENCE_MIN = 0.5
const MODEL_CHARS_MIN = 24

/**
 * Creates a detector with a model. Findings have kinds `injection.*`; the default policy refuses from confidence 0.8
 * on.
 */
export function createInjectionDetector(
  engine: Engine,
  model: InjectionModel,
): (segments: readonly Segment[]) => readonly Finding[] {
  const detectPhrases = engine.phraseDetector(engine.rules('injection').phrases)
  const windowScore = createWindowScore(model)
  const classify = (text: string): readonly Match[] => classifyText(windowScore, text)
  return (segments) => {
    const phrases = engine.scan(segments, (text, keywords, { author }) =>
      detectPhrases(text, ({ channel }) => appliesTo(channel, author), keywords),
    )
    // Definitions of tools are instructions by nature; the model was not trained on them.
    const classified: Finding[] = []
    for (const segment of segments) {
      if (segment.author !== 'schema') classified.push(...engine.scan([segment], classify))
    }
    if (phrases.length + classified.length === 0) return classified
    const authors = new Map(segments.map(({ pointer, author }) => [pointer, author]))
    return [...raiseStrongest(phrases), ...classified].map((finding) => ({
      ...finding,
      confidence: Math.min(CONFIDENCE_MAX[authors.get(finding.pointer) ?? 'other'], finding.confidence),
    }))
  }
}

/** The window of a text with the highest score, when that reaches the minimum. */
function classifyText(windowScore: (text: string) => number, text: string): readonly Match[] {
  if (text.length < MODEL_CHARS_MIN) return []
  let worst: Match | undefined
  for (const [start, end] of windowsOf(text)) {
    const score = windowScore(start === 0 && end === text.length ? text : text.slice(start, end))
    const confidence = Math.min(CORROBORATED_MAX, toHundredths(1 / (1 + Math.exp(-score - CALIBRATION))))
    if (confidence < CLASSIFIER_CONFIDENCE_MIN || confidence <= (worst?.confidence ?? 0)) continue
    worst = { kind: 'injection.classifier', severity: confidence >= 0.8 ? 'high' : 'low', confidence, start, end }
  }
  return worst === undefined ? [] : [worst]
}

/** In each text, raises the confidence of the strongest finding by the others nearby. */
function raiseStrongest(findings: readonly Finding[]): readonly Finding[] {
  return [...Map.groupBy(findings, ({ pointer }) => pointer).values()].flatMap((inText) => {
    const strongest = inText.toSorted((a, b) => b.confidence - a.confidence)[0] as Finding
    if (strongest.confidence >= CORROBORATED_MAX) return inText
    const near = inText.filter(({ span }) => Math.abs(span[0] - strongest.span[0]) <= NEAR_CHARS)
    // What another one of its kind covers says the same thing once more.
    const further = near.filter((finding) => !near.some((other) => covers(other, finding))).length - 1
    const confidence = Math.min(CORROBORATED_MAX, toHundredths(strongest.confidence + CORROBORATION * further))
    return inText.map((finding) => (finding === strongest ? { ...finding, confidence } : finding))
  })
}

/** Whether a finding covers another one of its kind. */
function covers(finding: Finding, other: Finding): boolean {
  const [start, end] = finding.span
  return finding !== other && finding.kind === other.kind && start <= other.span[0] && end >= other.span[1]
}

function toHundredths(value: number): number {
  return Math.round(value * 100) / 100
}
