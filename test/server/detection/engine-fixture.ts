/** Engines for tests: each test file has its own, as each gateway has. */
import { createEngine, type Engine } from '../../../server/detection/engine.ts'
import type { Pattern } from '../../../server/detection/pattern.ts'
import { RULE_FUNCTIONS } from '../../../server/rules/check/rule-functions.ts'
import { readRuleBook } from '../../../server/rules/rule-book.ts'

const { rules, families } = readRuleBook()

/** The built-in families. */
export const FAMILIES = families

/** A new engine with the built-in rules. */
export function testEngine(): Engine {
  return createEngine(rules, RULE_FUNCTIONS)
}

/** Patterns as a set of rules. */
export function setOf(patterns: readonly Pattern[]): ReturnType<Engine['rules']> {
  return { patterns, numbers: [], phones: [], phrases: [] }
}
