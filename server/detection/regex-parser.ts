/** Reads the source of a regular expression, as far as patterns use the syntax. */

/** One part of a sequence and how often it may stand there (`''` for once). */
export type Part = Readonly<{ times: string }> &
  (
    | Readonly<{ sort: 'character' | 'boundary'; source: string }>
    | Readonly<{ sort: 'group' | 'ahead' | 'behind'; open: string; source: string; alternatives: Alternatives }>
  )

/** Sequences of which one is taken. */
export type Alternatives = readonly (readonly Part[])[]

type Reader = { readonly source: string; at: number }

const CHARACTER = /\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[^1-9pPkcbB])|\[(?:\\.|[^\]\\])+\]|[^\\[\](){}*+?^$|]|[}\]]/sy
const BOUNDARY = /\\[bB]/y
const OPENING = /\((?:\?(?::|=|!|-i:|<=|<!))?/y
const TIMES = /(?:[*+?]|\{\d+(?:,\d*)?\})?\??/y

/** Gives the parts of a source (without flag u). Throws on syntax that it does not know, anchors among it. */
export function readPattern(source: string): Alternatives {
  const reader = { source, at: 0 }
  const alternatives = readAlternatives(reader)
  if (reader.at !== source.length) throw new Error(`not a pattern's syntax: ${source.slice(reader.at)}`)
  return alternatives
}

function readAlternatives(reader: Reader): Alternatives {
  const alternatives: Part[][] = [[]]
  while (reader.at < reader.source.length && reader.source[reader.at] !== ')') {
    if (take(reader, /\|/y) !== undefined) alternatives.push([])
    else alternatives.at(-1)?.push(readPart(reader))
  }
  return alternatives
}

function readPart(reader: Reader): Part {
  const open = take(reader, OPENING)
  if (open !== undefined) return readGroup(reader, open)
  const boundary = take(reader, BOUNDARY)
  if (boundary !== undefined) return { sort: 'boundary', source: boundary, times: '' }
  const source = take(reader, CHARACTER)
  if (source === undefined) throw new Error(`not a pattern's syntax: ${reader.source.slice(reader.at)}`)
  return { sort: 'character', source, times: take(reader, TIMES) ?? '' }
}

function readGroup(reader: Reader, open: string): Part {
  const from = reader.at - open.length
  const alternatives = readAlternatives(reader)
  if (take(reader, /\)/y) === undefined) throw new Error(`not a pattern's syntax: ${reader.source.slice(from)}`)
  const source = reader.source.slice(from, reader.at)
  const sort = /^\(\?<[=!]$/.test(open) ? 'behind' : /^\(\?[=!]$/.test(open) ? 'ahead' : 'group'
  return { sort, open, source, alternatives, times: take(reader, TIMES) ?? '' }
}

/** Takes what a sticky expression matches here; undefined when it is nothing at all. */
function take(reader: Reader, expression: RegExp): string | undefined {
  expression.lastIndex = reader.at
  const found = expression.exec(reader.source)?.[0]
  if (found === undefined || found === '') return undefined
  reader.at += found.length
  return found
}
