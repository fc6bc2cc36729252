/**
 * The test files of the tree, and what each says of itself in its opening comment: what it needs from the machine (`Needs: root, postgres.`), and,
 * where that is more than two, how many minutes it takes (`Takes 5 minutes.`), for long ones to begin first. `On one Node: why.` is for a file that
 * an older Node need not run, too.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'

/** `path` is relative to the root; `minutes` is about how long it takes, 0 where it does not say. */
export type TestFile = Readonly<{ path: string; needs: readonly string[]; minutes: number; isOnOneNode: boolean }>

function openingOf(text: string): string {
  return text.match(/^\/\*\*[\s\S]*?\*\//)?.[0] ?? ''
}

/** The needs that an opening comment states; none when it states none. */
export function parseNeeds(text: string): readonly string[] {
  const stated = openingOf(text).match(/\bNeeds:([a-z0-9, \n*-]+?)\s*(\.|\*\/)/)?.[1] ?? ''
  return stated.split(/[\s,*]+/).filter((need) => need !== '')
}

/** The minutes that an opening comment states; 0 when it states none. */
export function parseMinutes(text: string): number {
  return Number(openingOf(text).match(/\bTakes (\d+) minutes\./)?.[1] ?? 0)
}

/** Whether an opening comment says that one Node is enough. */
export function parseOnOneNode(text: string): boolean {
  return /\bOn one Node: [^.]+\./.test(openingOf(text))
}

/** The files that a text imports by a relative path, relative to the root as its own `path` is. */
function importsOf(path: string, text: string): readonly string[] {
  const specifiers = text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+\.ts)'/g)
  return [...specifiers].map(([, specifier]) => normalize(join(dirname(path), specifier ?? '')))
}

/** What a file states itself, and what the files below test/ state that it imports, however far away. */
function gatherNeeds(start: string, texts: ReadonlyMap<string, string>): readonly string[] {
  const [needs, seen, waiting] = [new Set<string>(), new Set([start]), [start]]
  for (const path of waiting) {
    const text = texts.get(path) ?? ''
    for (const need of parseNeeds(text)) needs.add(need)
    for (const imported of importsOf(path, text)) {
      if (!texts.has(imported) || seen.has(imported)) continue
      seen.add(imported)
      waiting.push(imported)
    }
  }
  return [...needs]
}

/** The test files of a tree of texts (path → text), in the order of their names. Everything below test/lab needs the lab. */
export function findTestFiles(texts: ReadonlyMap<string, string>): readonly TestFile[] {
  return [...texts.keys()]
    .filter((path) => path.endsWith('.test.ts'))
    .toSorted()
    .map((path) => {
      const needs = gatherNeeds(path, texts)
      const text = texts.get(path) ?? ''
      const [minutes, isOnOneNode] = [parseMinutes(text), parseOnOneNode(text)]
      return {
        path,
        minutes,
        isOnOneNode,
        needs: path.startsWith('test/lab/') ? [...new Set(['lab', ...needs])] : needs,
      }
    })
}

/** All files named *.test.ts below test/. */
export function listTestFiles(root: string): readonly TestFile[] {
  const paths = readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  return findTestFiles(new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')])))
}
