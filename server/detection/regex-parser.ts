/** Parses the source of a regular expression, as far as patterns use the syntax. */

/** One term of a sequence and its quantifier (`''` for once). */
export type Term = Readonly<{ quantifier: string }> &
  (
    | Readonly<{ kind: 'character' | 'boundary'; source: string }>
    | Readonly<{
        kind: 'group' | 'lookahead' | 'lookbehind'
        opener: string
        source: string
        alternatives: Alternatives
      }>
  )

/** Alternative sequences. */
export type Alternatives = readonly (readonly Term[])[]

type ParserState = { readonly source: string; at: number }

const CHARACTER = /\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[^1-9pPkcbB])|\[(?:\\.|[^\]\\])+\]|[^\\[\](){}*+?^$|]|[}\]]/sy
const BOUNDARY = /\\[bB]/y
const GROUP_OPENER = /\((?:\?(?::|=|!|-i:|<=|<!))?/y
const QUANTIFIER = /(?:[*+?]|\{\d+(?:,\d*)?\})?\??/y

/** Returns the terms of a source (without flag u). Throws on syntax that it does not know, anchors included. */
export function parseRegex(source: string): Alternatives {
  const state = { source, at: 0 }
  const alternatives = parseAlternatives(state)
  if (state.at !== source.length) throw new Error(`not a pattern's syntax: ${source.slice(state.at)}`)
  return alternatives
}

function parseAlternatives(state: ParserState): Alternatives {
  const alternatives: Term[][] = [[]]
  while (state.at < state.source.length && state.source[state.at] !== ')') {
    if (consume(state, /\|/y) !== undefined) alternatives.push([])
    else alternatives.at(-1)?.push(parseTerm(state))
  }
  return alternatives
}

function parseTerm(state: ParserState): Term {
  const opener = consume(state, GROUP_OPENER)
  if (opener !== undefined) return parseGroup(state, opener)
  const boundary = consume(state, BOUNDARY)
  if (boundary !== undefined) return { kind: 'boundary', source: boundary, quantifier: '' }
  const source = consume(state, CHARACTER)
  if (source === undefined) throw new Error(`not a pattern's syntax: ${state.source.slice(state.at)}`)
  return { kind: 'character', source, quantifier: consume(state, QUANTIFIER) ?? '' }
}

function parseGroup(state: ParserState, opener: string): Term {
  const from = state.at - opener.length
  const alternatives = parseAlternatives(state)
  if (consume(state, /\)/y) === undefined) throw new Error(`not a pattern's syntax: ${state.source.slice(from)}`)
  const source = state.source.slice(from, state.at)
  const kind = /^\(\?<[=!]$/.test(opener) ? 'lookbehind' : /^\(\?[=!]$/.test(opener) ? 'lookahead' : 'group'
  return { kind, opener, source, alternatives, quantifier: consume(state, QUANTIFIER) ?? '' }
}

/** Consumes what a sticky expression matches here; undefined when that is nothing. */
function consume(state: ParserState, expression: RegExp): string | undefined {
  expression.lastIndex = state.at
  const found = expression.exec(state.source)?.[0]
  if (found === undefined || found === '') return undefined
  state.at += found.length
  return found
}
