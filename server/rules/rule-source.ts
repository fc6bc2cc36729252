/** Reads the sources of what is known: families.yaml, and the files of rules below this folder. Only the build and tests do. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type FindingFamily, parseFamily } from '../core/finding-family.ts'
import { parseRuleFile, type RuleFile } from '../detection/rule-file.ts'

const FOLDER = import.meta.dirname
const FAMILIES = 'families.yaml'

/** Returns the built-in families, in their order. Throws when one is not valid. */
export function readFamilies(): readonly FindingFamily[] {
  const families = parse(readFileSync(join(FOLDER, FAMILIES), 'utf8')) as readonly unknown[]
  return families.map(parseFamily)
}

/** A file of rules: its name below this folder, its text and its content. */
export type SourceFile = Readonly<{ name: string; text: string; file: RuleFile }>

/** Returns the files of rules by their names. Throws when one is not valid. */
export function readRuleFiles(): readonly SourceFile[] {
  return globSync('{*,*/*}.yaml', { cwd: FOLDER })
    .filter((name) => name !== FAMILIES)
    .sort()
    .map((name) => {
      const text = readFileSync(join(FOLDER, name), 'utf8')
      return { name, text, file: parseRuleFile(parse(text), name) }
    })
}
