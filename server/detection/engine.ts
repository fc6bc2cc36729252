/**
 * The engine of the detectors: one automaton for the keywords of all, and what is computed of a text once for all of
 * them. The composition root creates it and every step is created with it; nothing of it is in a module.
 */
import type { Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { PendingFrom } from '../core/step.ts'
import { createKeywordIndex } from './keyword-index.ts'
import { pendingFromPatterns } from './partial-match.ts'
import { createPatternDetector, type Detector, type Pattern } from './pattern.ts'
import { createPhraseDetector, type Phrase, type PhraseDetector } from './phrase.ts'
import { createScanner, type Matcher } from './scan.ts'

/** What a step is created with. Detectors are added before the first text is scanned. */
export type Engine = Readonly<{
  /** Adds a detector for a set of patterns. */
  patternDetector: (patterns: readonly Pattern[]) => Detector
  /** Adds a detector for a set of phrases. */
  phraseDetector: (phrases: readonly Phrase[]) => PhraseDetector
  /** Where a match of the patterns may be pending at the end of a text. */
  pendingFrom: (patterns: readonly Pattern[], matchCharsMax: number) => PendingFrom
  /** Runs a detector over all segments of a call in all their variants (createScanner). */
  scan: (segments: readonly Segment[], matcher: Matcher, yielding?: ReadonlySet<string>) => readonly Finding[]
}>

/** Creates an engine without detectors. */
export function createEngine(): Engine {
  const index = createKeywordIndex()
  return {
    patternDetector: (patterns) => createPatternDetector(patterns, index),
    phraseDetector: (phrases) => createPhraseDetector(phrases, index),
    pendingFrom: pendingFromPatterns,
    scan: createScanner(),
  }
}
