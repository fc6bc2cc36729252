/** A command and what it printed, as a page shows them. */

/** `typed` may have several lines, `output` may be empty. */
export type ShownCommand = Readonly<{ typed: string; output: string }>

/** A line as a terminal shows it: tabs go to the next column that eight divides. */
function untabbed(line: string): string {
  return line
    .trimEnd()
    .split('\t')
    .reduce((left, cell) => `${left.padEnd(8 * (Math.floor(left.length / 8) + 1))}${cell}`)
}

/** The lines of a session; `isTyped` where a person typed. */
export function linesOf(session: readonly ShownCommand[]): readonly Readonly<{ text: string; isTyped: boolean }>[] {
  return session.flatMap(({ typed, output }) => [
    ...typed.split('\n').map((line, index) => ({ text: `${index === 0 ? '$' : '>'} ${line}`, isTyped: true })),
    ...(output === '' ? [] : output.split('\n').map((line) => ({ text: untabbed(line), isTyped: false }))),
  ])
}

/** The session as a block of Markdown. */
export function renderMarkdown(session: readonly ShownCommand[]): string {
  return `\`\`\`console\n${linesOf(session)
    .map(({ text }) => text)
    .join('\n')}\n\`\`\``
}

/** Puts a text between `<!-- NAME: … -->` and `<!-- end of NAME -->` of a page. Throws when the page lacks them. */
export function replaceBlock(page: string, name: string, text: string): string {
  const [from, to] = [page.indexOf(`<!-- ${name}:`), page.indexOf(`<!-- end of ${name} -->`)]
  if (from < 0 || to < from) throw new Error(`the page has no block "${name}"`)
  const start = page.indexOf('-->', from) + 3
  return `${page.slice(0, start)}\n\n${text}\n\n${page.slice(to)}`
}

/** What stands in that block, without the lines around it. */
export function readBlock(page: string, name: string): string {
  const [from, to] = [page.indexOf(`<!-- ${name}:`), page.indexOf(`<!-- end of ${name} -->`)]
  if (from < 0 || to < from) throw new Error(`the page has no block "${name}"`)
  return page.slice(page.indexOf('-->', from) + 3, to).trim()
}
