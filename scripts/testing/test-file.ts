/** The test files of the tree, and what each needs from the machine: `Needs: root, postgres.` in its opening comment. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** `path` is relative to the root. Everything below test/lab needs the lab. */
export type TestFile = Readonly<{ path: string; needs: readonly string[] }>

/** The needs that an opening comment states; none when it states none. */
export const parseNeeds = (text: string): readonly string[] => {
  const opening = text.match(/^\/\*\*[\s\S]*?\*\//)?.[0] ?? ''
  const stated = opening.match(/\bNeeds: ([a-z0-9, \n*-]+?)\s*(\.|\*\/)/)?.[1] ?? ''
  return stated.split(/[\s,*]+/).filter((need) => need !== '')
}

/** All files named *.test.ts below test/, in the order of their names. */
export const listTestFiles = (root: string): readonly TestFile[] =>
  readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
    .map((path) => {
      const needs = parseNeeds(readFileSync(join(root, path), 'utf8'))
      return { path, needs: path.startsWith('test/lab/') ? [...new Set(['lab', ...needs])] : needs }
    })
