/** YAML text: reads it from a file, parses it, and finds the line of a key for error messages. */
import { readFile } from 'node:fs/promises'
import { isNode, LineCounter, parse, parseDocument } from 'yaml'
import { Failure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'

/** Reads a text file given on the command line. Throws a usage failure when it cannot be read. */
export async function readNamedFile(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: Error) => {
    throw new Failure(
      { what: `cannot read ${path}`, why: error.message, next: `check the path: ${quoteAll(['ls', '-l', path])}` },
      64,
      error,
    )
  })
}

/** Parses YAML text; `where` is its path. Throws a usage failure (exit 64) for invalid YAML. */
export function parseYaml(text: string, where: string): unknown {
  try {
    return parse(text, { strict: true, uniqueKeys: true })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure({ what: `${where} is not valid YAML`, why, next: `fix ${where}` }, 64, error)
  }
}

/** Returns the line of a value, by its path of keys; undefined when it is not in the text. */
export type LineFinder = (path: readonly (string | number)[]) => number | undefined

/** Creates a line finder for YAML text that parses. It is read again when the first line is asked for. */
export function createLineFinder(text: string): LineFinder {
  const lines = new LineCounter()
  let document: ReturnType<typeof parseDocument> | undefined
  return (path) => {
    document ??= parseDocument(text, { lineCounter: lines })
    const node = path.length === 0 ? document.contents : document.getIn(path, true)
    const range = isNode(node) ? node.range : undefined
    return range ? lines.linePos(range[0]).line : undefined
  }
}
