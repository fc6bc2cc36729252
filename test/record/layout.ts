/**
 * Writes the record as JSON that a person can compare: what fits stands on one line; of a larger object the short members
 * stand side by side and each other one on lines of its own; of a larger list each item does.
 */

/** Characters of a line. */
const LINE_CHARS_MAX = 120
/** Characters of a list or an object that stands beside other members. */
const SHORT_CHARS_MAX = 40

/** Gives a JSON value as text. `indent` are the blanks before it, `used` the characters that stand on its line already. */
export function layOut(value: unknown, indent = '', used = 0): string {
  const short = onOneLine(value)
  if (indent.length + used + short.length <= LINE_CHARS_MAX || !isContainer(value)) return short
  const inner = `${indent} `
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => inner + layOut(item, inner)).join(',\n')}\n${indent}]`
  }
  return `{\n${linesOf(value, inner).join(',\n')}\n${indent}}`
}

function linesOf(object: object, indent: string): readonly string[] {
  const lines: string[] = []
  let isOpen = false
  for (const [name, member] of Object.entries(object)) {
    const start = `${JSON.stringify(name)}: `
    const text = start + layOut(member, indent, start.length)
    const last = lines.at(-1) ?? ''
    const isShort = !isContainer(member) || text.length - start.length <= SHORT_CHARS_MAX
    if (isShort && isOpen && last.length + 2 + text.length <= LINE_CHARS_MAX)
      lines[lines.length - 1] = `${last}, ${text}`
    else lines.push(indent + text)
    isOpen = isShort
  }
  return lines
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Blanks behind colons and commas, as a person would write it. */
function onOneLine(value: unknown): string {
  if (!isContainer(value)) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${onOneLine(member)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}
