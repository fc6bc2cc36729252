/** Where each line of a rendered file comes from: the texts of the repository are read with a mark in each line, rendered once more, and the marks read off. */

const [OPEN, CLOSE] = ['\u0001', '\u0002']
const MARK = new RegExp(`${OPEN}([^${CLOSE}]*)${CLOSE}`, 'g')

/** What is rendered, or written as it is; all other files of the repository are read by code (that of OPA too: names on the host are made of it). */
const MARKED = /^(?:units|templates(?!\/opa))\/|^Caddyfile$/

/** A line that holds nothing but a tag for a block: with a mark in it, it would leave an empty line. */
const BLOCK_LINE = /^\s*\{\{[#/^!~]|^\s*\{\{\s*else\b/

/** Returns a reader of the repository's files whose lines name their place (`units/x.hbs:3`). */
export function markLines(text: (path: string) => string): (path: string) => string {
  return (path) => {
    const content = text(path)
    if (!MARKED.test(path)) return content
    const lines = content.split('\n')
    // What code writes behind the last line is of no line here.
    const markOf = (line: string, index: number) =>
      line === '' && index === lines.length - 1 ? '' : `${path}:${index + 1}`
    return lines
      .map((line, index) => (BLOCK_LINE.test(line) ? line : `${OPEN}${markOf(line, index)}${CLOSE}${line}`))
      .join('\n')
  }
}

/** A revision in a text depends on the marks. */
function withoutRevisions(text: string): string {
  return text.replaceAll(/\b[0-9a-f]{16}\b/g, '')
}

/** Returns the place of each line of `content`, from the same text with marks (empty: made by code); undefined where that is another text. */
export function placesOf(marked: string, content: string): readonly string[] | undefined {
  if (!marked.includes(OPEN)) return undefined
  if (withoutRevisions(marked.replaceAll(MARK, '')) !== withoutRevisions(content)) return undefined
  let place = ''
  const places = marked.split('\n').map((line) => {
    place = [...line.matchAll(MARK)][0]?.[1] ?? place
    return place
  })
  return content.endsWith('\n') ? places.slice(0, -1) : places
}
