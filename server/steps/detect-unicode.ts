/**
 * Detects characters that a reader and a model see differently: tags and variation selectors that spell hidden text,
 * invisible characters, direction overrides, letters of another script inside a word.
 */
import type { Severity } from '../core/finding.ts'
import type { LocalStep } from '../core/step.ts'
import { type JoinedText, joinSegments } from '../detection/joined-text.ts'
import type { Match } from '../detection/pattern.ts'
import { assertFew, findingsIn } from '../detection/scan.ts'

/** Any of the characters that are checked below. Most texts have none: accents, quotes, dashes and emoji aren't. */
const RELEVANT =
  /[\u034f\u180b-\u180e\ufe00-\ufe0f\u00ad\u0370-\u052f\u0531-\u0587\u115f\u1160\u13a0-\u13ff\u17b4\u17b5\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\udb40]/

/** Tags (U+E0000 to U+E007F). A flag is a black flag, two to eight tags and the cancel tag (UTS 51), and hides nothing. */
const TAGS = /(?:\udb40[\udc00-\udc7f])+/g
const FLAG_BASE = '\ud83c\udff4'
const FLAG = /^(?:\udb40[\udc30-\udc39\udc61-\udc7a]){2,8}\udb40\udc7f$/

/** Variation selectors carry bytes when several follow each other; one after an emoji or a letter is what they are for. */
const SELECTORS = /(?:[\ufe00-\ufe0f]|\udb40[\udd00-\uddef]){3,}/g

/** Characters without width that aren't needed between the characters around them. */
const ZERO_WIDTH =
  /[\u034f\u180b-\u180e\u00ad\u115f\u1160\u17b4\u17b5\u200b-\u200f\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0]+/g
const OVERRIDES = /[\u202d\u202e]/g
/** A number that a phone's address book keeps from being turned round. */
const PHONE_NUMBER = /^\u202d[+\d\s().\u00a0/-]{1,40}\u202c/
const PHONE_CHARS_MAX = 42
const EMBEDDINGS = /[\u202a\u202b\u2066-\u2068]/g
const RIGHT_TO_LEFT = /[\u0590-\u08ff]/

/** From this many in a row they carry a message: a letter needs at least seven of two kinds. */
const MESSAGE_CHARS_MIN = 8

/** Greek, Cyrillic, Armenian and Cherokee: scripts with letters that look like Latin ones. */
const LOOKALIKE_SCRIPTS = '\\u0370-\\u03ff\\u0400-\\u052f\\u0531-\\u0587\\u13a0-\\u13ff'

/** Where the script changes within a word, and the end and start of a word of both scripts. */
const SCRIPT_CHANGE = new RegExp(`(?<=[A-Za-z])[${LOOKALIKE_SCRIPTS}]|[${LOOKALIKE_SCRIPTS}](?=[A-Za-z])`, 'g')
const WORD_END = new RegExp(`[A-Za-z${LOOKALIKE_SCRIPTS}]{0,40}`, 'y')
const WORD_START = new RegExp(`[A-Za-z${LOOKALIKE_SCRIPTS}]{0,40}$`)

/** Scripts and emoji in which joiners are part of spelling: Arabic to Khmer, Mongolian, symbols and pictographs. */
const JOINER_CONTEXT =
  /[\ufe0f\u0590-\u08ff\u0900-\u0dff\u0e00-\u109f\u1780-\u18af\u2190-\u2bff]|[\ud83c-\ud83e][\udc00-\udfff]/

/** Kinds `unicode.tag`, `unicode.invisible`, `unicode.bidi`, `unicode.homoglyph`. Smuggled text has confidence 0.9 and more. */
export const step: LocalStep = {
  name: 'detect_unicode',
  position: 250,
  category: 'data_protection',
  stages: ['request'],
  isCacheable: true,
  // Most calls have none of the characters.
  inspect: (call) =>
    call.segments.some(({ text }) => RELEVANT.test(text))
      ? findingsIn(joinSegments(call.segments, ''), inspectText)
      : [],
}

function* inspectText({ text }: JoinedText): Iterable<Match> {
  if (!RELEVANT.test(text)) return
  for (const matchesOf of [tags, selectors, zeroWidth, bidiControls, mixedWords]) yield* matchesOf(text)
}

function matchOf(match: RegExpExecArray, kind: string, severity: Severity, confidence: number): Match {
  return { kind: `unicode.${kind}`, severity, confidence, start: match.index, end: match.index + match[0].length }
}

function* tags(text: string): Iterable<Match> {
  for (const match of text.matchAll(TAGS)) {
    const isFlag = FLAG.test(match[0]) && text.startsWith(FLAG_BASE, match.index - FLAG_BASE.length)
    if (!isFlag) yield matchOf(match, 'tag', 'critical', 0.98)
  }
}

function* selectors(text: string): Iterable<Match> {
  for (const match of text.matchAll(SELECTORS)) yield matchOf(match, 'invisible', 'critical', 0.95)
}

function zeroWidth(text: string): readonly Match[] {
  const matches: Match[] = []
  for (const match of text.matchAll(ZERO_WIDTH)) {
    const before = text.slice(Math.max(0, match.index - 2), match.index)
    const after = text.slice(match.index + match[0].length, match.index + match[0].length + 2)
    if (match[0].length >= MESSAGE_CHARS_MIN) matches.push(matchOf(match, 'invisible', 'critical', 0.95))
    // A byte order mark at the start, a joiner inside an emoji or an Arabic word: legitimate.
    else if ((match.index === 0 && match[0] === '\ufeff') || JOINER_CONTEXT.test(before) || JOINER_CONTEXT.test(after))
      continue
    else {
      const isInsideWord = /[A-Za-z]$/.test(before) && /^[A-Za-z]/.test(after) && !/^\u00ad+$/.test(match[0])
      matches.push(isInsideWord ? matchOf(match, 'invisible', 'medium', 0.6) : matchOf(match, 'invisible', 'low', 0.3))
    }
    assertFew(matches)
  }
  // Many single ones split many words: that is a disguise, not a stray character.
  const inWords = matches.filter(({ confidence }) => confidence === 0.6)
  return inWords.length < MESSAGE_CHARS_MIN
    ? matches
    : matches.map((found) => (found.confidence === 0.6 ? { ...found, severity: 'high', confidence: 0.9 } : found))
}

/** Overrides reverse text; embeddings only matter beside left-to-right text of code. */
function* bidiControls(text: string): Iterable<Match> {
  for (const match of text.matchAll(OVERRIDES)) {
    const isNumber = PHONE_NUMBER.test(text.slice(match.index, match.index + PHONE_CHARS_MAX))
    yield isNumber ? matchOf(match, 'bidi', 'low', 0.2) : matchOf(match, 'bidi', 'high', 0.85)
  }
  // Asked of the text once, at the first embedding: a text may have as many of them as it has characters.
  let confidence: number | undefined
  for (const match of text.matchAll(EMBEDDINGS)) {
    confidence ??= RIGHT_TO_LEFT.test(text) ? 0.2 : 0.6
    yield matchOf(match, 'bidi', 'low', confidence)
  }
}

function* mixedWords(text: string): Iterable<Match> {
  let scannedTo = 0
  for (const { index } of text.matchAll(SCRIPT_CHANGE)) {
    if (index < scannedTo) continue
    WORD_END.lastIndex = index
    WORD_END.test(text)
    scannedTo = WORD_END.lastIndex
    const from = Math.max(0, index - 40)
    const start = from + text.slice(from, index).search(WORD_START)
    const word = text.slice(start, scannedTo)
    // Units and formulas mix scripts by nature: μm, Δt, Ωm.
    if (word.length < 4 || (word.match(/[A-Za-z]/g)?.length ?? 0) < 2) continue
    yield { kind: 'unicode.homoglyph', severity: 'medium', confidence: 0.6, start, end: scannedTo }
  }
}
