/**
 * Detects prompt injection: by phrases, with stricter ones for tool results and documents, and with a small linear
 * classifier. Each author's texts are scanned separately.
 */
import type { Author, Segment } from '../../core/call.ts'
import type { Finding } from '../../core/finding.ts'
import type { Engine } from '../../detection/engine.ts'
import type { Match } from '../../detection/pattern.ts'
import { confidenceFor, type Phrase } from '../../detection/phrase.ts'
import type { EditedText } from '../../normalization/edited-text.ts'
import { withoutBreaks } from './broken-word.ts'
import { isOfProgram, isQuotedAlone } from './document-kind.ts'
import { withoutDigits } from './letter-digits.ts'
import { createWindowScore, FeatureHasher, type InjectionModel } from './linear-model.ts'
import { withoutSpacing } from './spaced-letters.ts'
import { documentWindows, promptWindows, type Window } from './text-window.ts'

/**
 * The application's own words are not an attack on it, and what the model said before was evaluated as a response:
 * there a finding is informational, below what the default policy calls a suspicion.
 */
const CONFIDENCE_MAX: Readonly<Record<Author, number>> = {
  user: 1,
  tool: 1,
  schema: 1,
  other: 1,
  system: 0.4,
  assistant: 0.4,
}

/** A model for what users write, and one for the lines of tool results and documents. */
export type InjectionModels = Readonly<{ prompt: InjectionModel; document: InjectionModel }>

/**
 * Each further phrase nearby raises the confidence of the strongest finding by this much, up to 0.97. Distant ones
 * don't count.
 */
const CORROBORATION = 0.1
const NEAR_CHARS = 1_500
const CORROBORATED_MAX = 0.97

/** What is less sure than this raises nothing; in documents, which are about anything, that is more. */
const CORROBORATING_MIN = 0.5
const DATA_CORROBORATING_MIN = 0.7

/** A score of zero is where training puts the threshold (bench/train-injection.ts), and the policy's is 0.8. */
const CALIBRATION = Math.log(0.8 / 0.2)
const CLASSIFIER_CONFIDENCE_MIN = 0.5

/** Shorter prompts say too little. */
const PROMPT_CHARS_MIN = 40

/** Scores the windows of a text. */
type Classifier = (text: string, seams: readonly number[]) => readonly Match[]

/**
 * Creates a detector with its models. Findings have kinds `injection.*`; the default policy refuses from confidence 0.8
 * on.
 */
export function createInjectionDetector(
  engine: Engine,
  models: InjectionModels,
): (segments: readonly Segment[]) => readonly Finding[] {
  const detectPhrases = engine.phraseDetector(engine.rules('injection').phrases)
  const classifierOf = createClassifiers(models)
  return (segments) => {
    const phrases = engine.scan(
      segments,
      (text, keywords, { author, text: whole }) => {
        const confidenceOf = (phrase: Phrase): number | undefined => confidenceFor(phrase, author)
        const found = [...detectPhrases(text, confidenceOf, keywords)]
        for (const edited of [withoutSpacing(text), withoutBreaks(text), withoutDigits(text)])
          if (edited !== undefined) found.push(...mapped(detectPhrases(edited.text, confidenceOf), edited))
        return author === 'tool' ? weighedInData(found, text, whole) : found
      },
      { weigh: raiseStrongest, origin: 'request' },
    )
    // Words without their marks are none of their language: the models were not trained on them.
    const classified = engine.scan(
      segments,
      (text, _, { author, text: whole }, { seams, isUnmarked }) => {
        const found = isUnmarked ? NO_MATCHES : (classifierOf[author]?.(text, seams ?? []) ?? NO_MATCHES)
        return author === 'tool' ? weighedInData(found, text, whole) : found
      },
      { origin: 'request' },
    )
    if (phrases.length + classified.length === 0) return classified
    const authors = new Map(segments.map(({ pointer, author }) => [pointer, author]))
    return [...phrases, ...classified].map((finding) => ({
      ...finding,
      confidence: Math.min(CONFIDENCE_MAX[authors.get(finding.pointer) ?? 'other'], finding.confidence),
    }))
  }
}

const NO_MATCHES: readonly Match[] = []

/**
 * Who is judged by which model. The application's own words are instructions by nature, and so are the definitions of its
 * tools; what the model said is no attack on it.
 */
function createClassifiers({ prompt, document }: InjectionModels): Readonly<Partial<Record<Author, Classifier>>> {
  const hasher = new FeatureHasher()
  const ofPrompt = classifier(createWindowScore(prompt, hasher), (text, seams) =>
    promptWindows(text, seams).filter(([start, end]) => end - start >= PROMPT_CHARS_MIN),
  )
  const ofDocument = classifier(createWindowScore(document, hasher), documentWindows)
  return { user: ofPrompt, other: ofPrompt, tool: ofDocument }
}

/** A classifier that finds the window of a text with the highest score, when that reaches the minimum. */
function classifier(
  windowScore: (text: string, start: number, end: number) => number,
  windowsOf: (text: string, seams: readonly number[]) => readonly Window[],
): Classifier {
  return (text, seams) => {
    let worst: Match | undefined
    for (const [start, end] of windowsOf(text, seams)) {
      const score = windowScore(text, start, end)
      const confidence = Math.min(CORROBORATED_MAX, toHundredths(1 / (1 + Math.exp(-score - CALIBRATION))))
      if (confidence < CLASSIFIER_CONFIDENCE_MIN || confidence <= (worst?.confidence ?? 0)) continue
      worst = { kind: 'injection.classifier', severity: confidence >= 0.8 ? 'high' : 'low', confidence, start, end }
    }
    return worst === undefined ? NO_MATCHES : [worst]
  }
}

/**
 * Files of programs hold prompts, lists of attacks and marks of chat templates: what is said there about an answer, what the model
 * alone is sure of, and a phrase that is all of a string are suspicions at most. `whole` is the text of which `text` is a variant.
 */
function weighedInData(matches: readonly Match[], text: string, whole: string): readonly Match[] {
  const isDoubtful = ({ kind, confidence, start, end }: Match): boolean =>
    confidence > PROGRAM_CONFIDENCE_MAX &&
    (kind === 'injection.classifier' ||
      (DOUBTFUL_KINDS.has(kind) && confidence < SURE_IN_PROGRAM) ||
      isQuotedAlone(text, start, end))
  if (!matches.some(isDoubtful) || !isOfProgram(whole)) return matches
  return matches.map((match) => (isDoubtful(match) ? { ...match, confidence: PROGRAM_CONFIDENCE_MAX } : match))
}

const DOUBTFUL_KINDS: ReadonlySet<string> = new Set(['injection.indirect', 'injection.context_manipulation'])
const PROGRAM_CONFIDENCE_MAX = 0.6
const SURE_IN_PROGRAM = 0.85

/** Matches of an edited text where they stand in the original. */
function mapped(matches: readonly Match[], { span }: EditedText): readonly Match[] {
  return matches.map((match) => {
    const [start, end] = span(match.start, match.end)
    return { ...match, start, end }
  })
}

/** Raises the confidence of the strongest match of a text by the others nearby that are sure enough to count. */
function raiseStrongest(matches: readonly Match[], { author }: Segment): readonly Match[] {
  const strongest = matches.toSorted((a, b) => b.confidence - a.confidence)[0] as Match
  if (strongest.confidence >= CORROBORATED_MAX) return matches
  const least = author === 'tool' ? DATA_CORROBORATING_MIN : CORROBORATING_MIN
  const near = matches.filter(
    ({ start, confidence }) => confidence >= least && Math.abs(start - strongest.start) <= NEAR_CHARS,
  )
  // What another one of its kind covers says the same thing once more, and so does the same phrase.
  const apart = near.filter((match) => !near.some((other) => covers(other, match)))
  const further = Math.max(0, new Set(apart.map(({ rule, kind }) => rule ?? kind)).size - 1)
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
