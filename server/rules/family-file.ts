/** Reads the built-in families of findings, families.yaml. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type FindingFamily, parseFamily } from '../core/finding-family.ts'

/** Returns the built-in families, in their order. Throws when one is not valid. */
export function readFamilies(folder: string = import.meta.dirname): readonly FindingFamily[] {
  const families = parse(readFileSync(join(folder, 'families.yaml'), 'utf8')) as readonly unknown[]
  return families.map(parseFamily)
}
