/**
 * The compiled rules and families, compiled.json: what a gateway reads at its start, so that it parses no YAML and
 * derives nothing. `node server/rules/build.ts` writes it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FindingFamily } from '../core/finding-family.ts'
import type { CompiledRule } from '../detection/rule.ts'

/** The content of compiled.json. */
export type RuleBook = Readonly<{ families: readonly FindingFamily[]; rules: readonly CompiledRule[] }>

/** Where it is. */
export const COMPILED = join(import.meta.dirname, 'compiled.json')

/** Reads the compiled rules and families. */
export function readRuleBook(): RuleBook {
  return JSON.parse(readFileSync(COMPILED, 'utf8')) as RuleBook
}
