/**
 * Detects prompt injection: by phrases, with stricter ones for tool results and documents, and with a small linear
 * classifier. Each author's texts are scanned separately.
 */
import type { Author, Segment } from '../../core/call.ts'
import type { Finding } from '../../core/finding.ts'
import type { Engine } from '../../detection/engine.ts'
import type { Match } from '../../detection/pattern.ts'
import { appliesTo, type Phrase } from '../../detection/phrase.ts'
import type { EditedText } from '../../normalization/edited-text.ts'
import { withoutDigits } from './letter-digits.ts'
import { createWindowScore, type InjectionModel, windowsOf } from './linear-model.ts'
import { withoutSpacing } from './spaced-letters.ts'

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
  return (segments) => {
    const phrases = engine.scan(
      segments,
      (text, keywords, { author }) => {
        const isWanted = ({ channel }: Phrase): boolean => appliesTo(channel, author)
        const found = detectPhrases(text, isWanted, keywords)
        const others = [withoutSpacing(text), withoutDigits(text)].filter((edited) => edited !== undefined)
        if (others.length === 0) return found
        return [...found, ...others.flatMap((edited) => mapped(detectPhrases(edited.text, isWanted), edited))]
      },
      { weigh: raiseStrongest, isWhole: true },
    )
    // Definitions of tools are instructions by nature, and words without their marks none of their language: the model was
    // not trained on them.
    const classified = engine.scan(
      segments,
      (text, _, { author }, { seams, isUnmarked }) =>
        author === 'schema' || isUnmarked ? [] : classifyText(windowScore, text, seams ?? []),
      { isWhole: true },
    )
    if (phrases.length + classified.length === 0) return classified
    const authors = new Map(segments.map(({ pointer, author }) => [pointer, author]))
    return [...phrases, ...classified].map((finding) => ({
      ...finding,
      confidence: Math.min(CONFIDENCE_MAX[authors.get(finding.pointer) ?? 'other'], finding.confidence),
    }))
  }
}

/** Matches of an edited text where they stand in the original. */
function mapped(matches: readonly Match[], { span }: EditedText): readonly Match[] {
  return matches.map((match) => {
    const [start, end] = span(match.start, match.end)
    return { ...match, start, end }
  })
}

/** The window of a text with the highest score, when that reaches the minimum. */
function classifyText(windowScore: (text: string) => number, text: string, seams: readonly number[]): readonly Match[] {
  let worst: Match | undefined
  for (const [start, end] of windowsOf(text, seams)) {
    if (end - start < MODEL_CHARS_MIN) continue
    const score = windowScore(start === 0 && end === text.length ? text : text.slice(start, end))
    const confidence = Math.min(CORROBORATED_MAX, toHundredths(1 / (1 + Math.exp(-score - CALIBRATION))))
    if (confidence < CLASSIFIER_CONFIDENCE_MIN || confidence <= (worst?.confidence ?? 0)) continue
    worst = { kind: 'injection.classifier', severity: confidence >= 0.8 ? 'high' : 'low', confidence, start, end }
  }
  return worst === undefined ? [] : [worst]
}

/** Raises the confidence of the strongest match of a text by the others nearby. */
function raiseStrongest(matches: readonly Match[]): readonly Match[] {
  const strongest = matches.toSorted((a, b) => b.confidence - a.confidence)[0] as Match
  if (strongest.confidence >= CORROBORATED_MAX) return matches
  const near = matches.filter(({ start }) => Math.abs(start - strongest.start) <= NEAR_CHARS)
  // What another one of its kind covers says the same thing once more.
  const further = near.filter((match) => !near.some((other) => covers(other, match))).length - 1
  const confidence = Math.min(CORROBORATED_MAX, toHundredths(strongest.confidence + CORROBORATION * further))
  return matches.map((match) => (match === strongest ? { ...match, confidence } : match))
}

/** Whether a match covers another one of its kind. */
function covers(match: Match, other: Match): boolean {
  return match !== other && match.kind === other.kind && match.start <= other.start && match.end >= other.end
}

function toHundredths(value: number): number {
  return Math.round(value * 100) / 100
}
