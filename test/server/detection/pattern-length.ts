/** Reads a regular expression's source far enough to say how many characters it can look at, before and after its start. */

/** Characters: in the match itself, behind its end (lookahead), before its start (lookbehind). Infinity where unbounded. */
export type Lengths = Readonly<{ match: number; ahead: number; behind: number }>

const NOTHING: Lengths = { match: 0, ahead: 0, behind: 0 }

type Reader = { readonly source: string; at: number }

/** Gives the lengths of a pattern. Throws on syntax it does not know. */
export function patternLengths(pattern: RegExp): Lengths {
  const reader: Reader = { source: pattern.source, at: 0 }
  const lengths = readAlternatives(reader)
  if (reader.at !== reader.source.length) throw new Error(`unread: ${reader.source.slice(reader.at)}`)
  return lengths
}

function readAlternatives(reader: Reader): Lengths {
  let longest = readSequence(reader)
  while (reader.source[reader.at] === '|') {
    reader.at++
    const other = readSequence(reader)
    longest = {
      match: Math.max(longest.match, other.match),
      ahead: Math.max(longest.ahead, other.ahead),
      behind: Math.max(longest.behind, other.behind),
    }
  }
  return longest
}

function readSequence(reader: Reader): Lengths {
  let { match, ahead, behind } = NOTHING
  while (reader.at < reader.source.length && !'|)'.includes(reader.source.charAt(reader.at))) {
    const atom = readAtom(reader)
    const times = readQuantifier(reader)
    // How far ahead an atom looks counts from the end of the whole: at most all of it.
    ahead = Math.max(ahead, atom.ahead)
    behind = Math.max(behind, atom.behind)
    match += atom.match === 0 ? 0 : atom.match * times
  }
  return { match, ahead, behind }
}

function readAtom(reader: Reader): Lengths {
  const { source } = reader
  const character = source.charAt(reader.at)
  if (character === '(') return readGroup(reader)
  if (character === '[') {
    while (source.charAt(reader.at) !== ']') reader.at += source.charAt(reader.at) === '\\' ? 2 : 1
    reader.at++
    return { ...NOTHING, match: 1 }
  }
  if (character === '^' || character === '$') {
    reader.at++
    return NOTHING
  }
  if (character === '\\') {
    const escaped = /\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[pP]\{[^}]*\}|.)/sy
    escaped.lastIndex = reader.at
    const [text] = escaped.exec(source) as RegExpExecArray
    reader.at += text.length
    if (text === '\\b' || text === '\\B') return { match: 0, ahead: 1, behind: 1 }
    if (/^\\[1-9]/.test(text)) throw new Error('a back reference has no bound')
    return { ...NOTHING, match: 1 }
  }
  reader.at++
  return { ...NOTHING, match: 1 }
}

function readGroup(reader: Reader): Lengths {
  const opening = /\((?:\?(?:[:=!]|-i:|<[=!]|<\w+>))?/y
  opening.lastIndex = reader.at
  const [open] = opening.exec(reader.source) as RegExpExecArray
  reader.at += open.length
  const { match, ahead, behind } = readAlternatives(reader)
  reader.at++
  if (open === '(?=' || open === '(?!') return { match: 0, ahead: match + ahead, behind }
  if (open === '(?<=' || open === '(?<!') return { match: 0, ahead, behind: match + behind }
  return { match, ahead, behind }
}

function readQuantifier(reader: Reader): number {
  const quantifier = /(?:[*+?]|\{(\d+)(,(\d*))?\})\??/y
  quantifier.lastIndex = reader.at
  const found = quantifier.exec(reader.source)
  if (found === null) return 1
  reader.at += found[0].length
  if (found[1] === undefined) return found[0].startsWith('?') ? 1 : Number.POSITIVE_INFINITY
  if (found[2] === undefined) return Number(found[1])
  return found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3])
}
