/** Rules as they are compiled: plain data that the engine makes patterns of, and the functions that they name. */
import type { Severity } from '../core/finding.ts'
import type { Channel } from './phrase.ts'

/** What makes a rule be tried: one of its keywords, a digit, a digit that may begin a telephone number, or a phrase's words. */
export type Trigger = 'keyword' | 'number' | 'phone' | 'phrase'

/** One rule, compiled. rule-file.ts says what its members mean; forms and fragments are written out in `pattern`. */
export type CompiledRule = Readonly<{
  id: string
  kind: string
  severity: Severity
  confidence: number
  data_confidence?: number
  trigger: Trigger
  keywords: readonly string[]
  pattern: string
  flags: string
  /** The source of the expression that matches where `pattern` is pending at the end of a text. */
  partial?: string
  digits?: readonly number[]
  check?: readonly string[]
  only?: string
  unless?: string
  grade?: string
  extend?: string
  extend_while?: string
  probe?: string
  finder?: string
  channel?: Channel
}>

/** A function that rules name, and what it does, for the reference. */
export type Named<F> = Readonly<Record<string, Readonly<{ about: string; run: F }>>>

/** Finds something at a digit that no bounded pattern can tell; a rule's finder stands for its pattern. */
export type Finder = Readonly<{
  /** The range of a match whose first digit is at `at`. */
  matchAt: (text: string, at: number) => readonly [start: number, end: number] | undefined
  /** Where a match may start whose first digit is at `at` and that more text could complete; undefined for none. */
  pendingAt: (text: string, at: number) => number | undefined
}>

/** All functions that a rule may name: a closed set. Each is pure, and returns at once whatever the text. */
export type RuleFunctions = Readonly<{
  /** Whether a value is what the rule is about. */
  checks: Named<(value: string) => boolean>
  /** How sure a match is; undefined when it is none after all. `match` is all that the pattern matched. */
  grades: Named<(value: string, match: string) => number | undefined>
  /** Where a match ends that has no longest form, from the end of what the pattern matched. */
  extends: Named<(text: string, end: number) => number>
  /** A cheap test at an index, before the pattern; false means that the pattern can't match there. */
  probes: Named<(text: string, at: number) => boolean>
  finders: Named<Finder>
}>
