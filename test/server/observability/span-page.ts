/** The tables of docs/reference/traces.md, made from that of the code. */
import { SPAN_ATTRIBUTES, SPANS } from '../../../server/core/trace.ts'

const spans = (): string =>
  [
    '| span | kind | what it is |',
    '|---|---|---|',
    ...Object.values(SPANS).map(({ name, kind, says }) => `| \`${name}\` | ${kind} | ${says} |`),
  ].join('\n')

const attributes = (): string =>
  [
    '| attribute | of | what it says |',
    '|---|---|---|',
    ...Object.entries(SPAN_ATTRIBUTES).map(([name, { of, says }]) => {
      const names = of.map((type) => `\`${SPANS[type].name}\``).join(', ')
      return `| \`${name}\` | ${names} | ${says} |`
    }),
  ].join('\n')

/** Takes the text of the page, returns it with the tables of today. Throws when the marks of a table are missing. */
export function withSpans(page: string): string {
  return Object.entries({ spans: spans(), attributes: attributes() }).reduce((text, [what, table]) => {
    const mark = `<!-- ${what}; written by test/server/observability/write-spans.ts -->`
    const [start, end] = [text.indexOf(mark), text.indexOf(`<!-- end of ${what} -->`)]
    if (start < 0 || end < start) throw new Error(`docs/reference/traces.md lacks ${mark}`)
    return `${text.slice(0, start)}${mark}\n\n${table}\n\n${text.slice(end)}`
  }, page)
}
