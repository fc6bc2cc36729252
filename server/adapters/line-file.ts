/** A text file, line by line. */
import { createReadStream } from 'node:fs'

/**
 * Yields the lines of a file in UTF-8, without their line ends. Only LF ends a line: node:readline also splits at U+2028, which
 * stands in JSON as it is.
 */
export async function* readLines(path: string): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
