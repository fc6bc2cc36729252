/**
 * The engine of the detectors: the rules, one automaton for the keywords of all, and what is computed of a text once
 * for all of them. The composition root creates it and every step is created with it; nothing of it is in a module.
 */
import type { PendingFrom } from '../core/step.ts'
import { createKeywordIndex } from './keyword-index.ts'
import { createNumberDetector, type NumberPattern, pendingFromNumbers } from './number-detector.ts'
import { pendingFromPatterns } from './partial-match.ts'
import { createPatternDetector, type Detector, type Pattern } from './pattern.ts'
import { earliestPending } from './pending-match.ts'
import { createPhoneDetector, pendingFromPhones } from './phone-detector.ts'
import { createPhraseDetector, type Phrase, type PhraseDetector } from './phrase.ts'
import type { CompiledRule, RuleFunctions } from './rule.ts'
import { compileRules } from './rule-compiler.ts'
import { parseRuleFile } from './rule-file.ts'
import { numberOf, patternOf, phraseOf } from './rule-pattern.ts'
import { createScanner, type Scanner } from './scan.ts'

/** Rules of one family as patterns, by what triggers them. */
export type RuleSet = Readonly<{
  patterns: readonly Pattern[]
  numbers: readonly NumberPattern[]
  phones: readonly Pattern[]
  phrases: readonly Phrase[]
}>

/** What a step is created with. Detectors are added before the first text is scanned. */
export type Engine = Readonly<{
  /** The built-in rules of a family; empty for a family without rules. */
  rules: (family: string) => RuleSet
  /** Compiles rules that a step brings, written as a file of rules is. Throws when one is not sound. */
  compile: (file: unknown) => RuleSet
  /** Adds a detector for a set of rules (phrases apart). */
  detector: (rules: RuleSet) => Detector
  /** Adds a detector for phrases. */
  phraseDetector: (phrases: readonly Phrase[]) => PhraseDetector
  /** Where a match of a set of rules may be pending at the end of a text. */
  pendingFrom: (rules: RuleSet, matchCharsMax: number) => PendingFrom
  /** Runs a detector over all segments of a call in all their variants (createScanner). */
  scan: Scanner
}>

/** Creates an engine with the built-in rules and the functions that rules name. */
export function createEngine(rules: readonly CompiledRule[], functions: RuleFunctions): Engine {
  const index = createKeywordIndex()
  return {
    rules: (family) =>
      ruleSetOf(
        rules.filter(({ kind }) => kind.startsWith(`${family}.`)),
        functions,
      ),
    compile: (file) => ruleSetOf(compileRules(parseRuleFile(file, 'the rules of a step'), functions), functions),
    detector: (set) => detectorOf(set, createPatternDetector(set.patterns, index)),
    phraseDetector: (phrases) => createPhraseDetector(phrases, index),
    pendingFrom: ({ patterns, numbers, phones }, matchCharsMax) =>
      earliestPending([
        ...(patterns.length === 0 ? [] : [pendingFromPatterns(patterns, matchCharsMax)]),
        ...(numbers.length === 0 ? [] : [pendingFromNumbers(numbers, matchCharsMax)]),
        ...(phones.length === 0 ? [] : [pendingFromPhones(phones, matchCharsMax)]),
      ]),
    scan: createScanner(),
  }
}

/** Makes patterns of rules. */
function ruleSetOf(rules: readonly CompiledRule[], functions: RuleFunctions): RuleSet {
  const triggered = (trigger: CompiledRule['trigger']): readonly CompiledRule[] =>
    rules.filter((rule) => rule.trigger === trigger)
  return {
    patterns: triggered('keyword').map((rule) => patternOf(rule, functions)),
    numbers: triggered('number').map((rule) => numberOf(rule, functions)),
    phones: triggered('phone').map((rule) => patternOf(rule, functions)),
    phrases: triggered('phrase').map(phraseOf),
  }
}

/** One detector for all of a set; most sets have keywords alone. */
function detectorOf({ numbers, phones }: RuleSet, detectPatterns: Detector): Detector {
  if (numbers.length + phones.length === 0) return detectPatterns
  const detectNumbers = createNumberDetector(numbers)
  const detectPhones = createPhoneDetector(phones)
  return (text, memo) => {
    const matches = detectPatterns(text, memo)
    const inNumbers = [...detectNumbers(text), ...detectPhones(text)]
    return inNumbers.length === 0 ? matches : [...matches, ...inNumbers]
  }
}
