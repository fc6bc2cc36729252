/**
 * Armoured private keys as people paste them: whether a body follows the first line, and where the key ends. Before a
 * line of the body may stand whatever a diff, a comment, a log, a listing with numbers or a program puts there.
 */

/** The longest that may stand between two pieces of a key, and how much of a piece tells what it is. */
const BETWEEN_CHARS_MAX = 160
const PIECE_CHARS = 64

/** A run of base64, and one that is a piece of a key when only signs and digits stand before it. */
const RUN = /[A-Za-z0-9+/]{16}[A-Za-z0-9+/]*={0,2}/g
const RUN_END = /[A-Za-z0-9+/]*={0,2}/y
const SIGNS = /^[^A-Za-z]{0,48}$/
/** A last line that is shorter tells itself by its padding. */
const LAST_LINE = /^[^A-Za-z]{1,48}?[A-Za-z0-9+/]{2,15}={1,2}(?![A-Za-z0-9+/=])/

/** Groups of one length, with blanks or signs between: how `fold` and books print a key. */
const GROUPS = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{4,15}(?:[^A-Za-z0-9+/=]{1,24}[A-Za-z0-9+/]{4,15}){4,}/g
const NEXT_GROUP = /[^A-Za-z0-9+/=]{1,24}([A-Za-z0-9+/]{4,15}={0,2})(?![A-Za-z0-9+/])/y
const LAST_GROUP = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{4,15}$/

/** What belongs to another key; and the last line, which may have just been read. */
const NEXT_KEY = /-{2,5} ?BEGIN /i
const FOOTER = /-{2,5} ?END[A-Z0-9 ]{0,40}-{0,5}|END [A-Z0-9 ]{0,24}(?:PRIVATE|SECRET) KEY/i
const FOOTER_CHARS = 64
const AFTER_FOOTER = new RegExp(`(?:${FOOTER.source})$`, 'i')

/** What stands between pieces in text that is not disguised: blanks, quotes, and signs that join lines of code. */
const GLUE = '[\\s"\'`\\\\,;+>|nr]{0,24}'
const PLAIN_BODY = new RegExp(
  `^${GLUE}(?:[A-Za-z0-9+/=]{16}|[A-Za-z][A-Za-z-]{2,30}: |(?![A-Za-z][a-z]*[ ,])[A-Za-z0-9+/=.]{1,80}${GLUE}-----END)`,
  'i',
)

/** Shorter runs can't be told from words. */
const SCRAMBLED_CHARS_MIN = 20

/** In base64 every second character is of another class than the one before; in names of programs every fifth. */
const CHANGES_MIN = 0.35

/** Whether a run is base64 of what is no text: upper case, lower case and digits change all the time. */
export function isScrambled(run: string): boolean {
  const start = run.slice(0, PIECE_CHARS)
  if (start.length < SCRAMBLED_CHARS_MIN || !/[A-Z]/.test(start) || !/[a-z]/.test(start)) return false
  const changes = start.match(/[A-Z](?=[^A-Z])|[a-z](?=[^a-z])|[0-9](?=[^0-9])/g)?.length ?? 0
  return changes >= CHANGES_MIN * start.length
}

/** Whether what follows the first line of a key is its body. */
function hasBody(following: string): boolean {
  return (
    hasScrambledBody(following) ||
    PLAIN_BODY.test(following) ||
    /(?:Proc-Type|DEK-Info): /i.test(untilNextKey(following))
  )
}

/** The same where no dashes say that it is the first line of a key. */
function hasScrambledBody(following: string): boolean {
  const text = untilNextKey(following)
  const end = text.search(FOOTER)
  const body = end < 0 ? text : text.slice(0, end)
  return (body.match(RUN) ?? []).some(isScrambled) || groupsStart(body) >= 0
}

/** How sure it is that a first line is one of a key, by what follows it in the match. */
export function gradeKey(line: string, match: string): number | undefined {
  return hasBody(match.slice(line.length)) ? 0.99 : undefined
}

/** The same for a first line without dashes. */
export function gradeBareKey(line: string, match: string): number | undefined {
  return hasScrambledBody(match.slice(line.length)) ? 0.9 : undefined
}

/** The same for a first line that no body follows. */
export function gradeKeyMention(line: string, match: string): number | undefined {
  return hasBody(match.slice(line.length)) ? undefined : 0.4
}

/** Where groups of one length begin that are base64 together; -1 when there are none. */
function groupsStart(text: string): number {
  for (const { 0: found, index } of text.matchAll(GROUPS)) {
    const groups = found.split(/[^A-Za-z0-9+/]+/)
    const same = groups.filter(({ length }) => length === groups[0]?.length)
    if (same.length >= groups.length - 1 && isScrambled(groups.join(''))) return index
  }
  return -1
}

function untilNextKey(text: string): string {
  const next = text.search(NEXT_KEY)
  return next < 0 ? text : text.slice(0, next)
}

/**
 * Returns the index after the key whose first line ends at `end`: after its footer, or after the last piece of its
 * body when the footer is missing. From one piece to the next it reads at most some 220 characters. It ends where
 * another key begins, and from where it ended it goes no further.
 */
export function privateKeyEnd(text: string, end: number): number {
  let at = end
  if (AFTER_FOOTER.test(text.slice(Math.max(0, end - FOOTER_CHARS), end))) return end
  for (;;) {
    const next = untilNextKey(text.slice(at, at + BETWEEN_CHARS_MAX + PIECE_CHARS))
    const footer = FOOTER.exec(next)
    const piece = pieceEnd(text, at, next.slice(0, footer?.index))
    if (piece !== undefined) at = piece
    else return footer === null || footer.index > BETWEEN_CHARS_MAX ? at : at + footer.index + footer[0].length
  }
}

/** Where the next piece of a body ends, given what follows the last one. */
function pieceEnd(text: string, at: number, next: string): number | undefined {
  const groupEnd = nextGroupEnd(text, at, next)
  if (groupEnd !== undefined) return groupEnd
  for (const { 0: run, index } of next.matchAll(RUN)) {
    if (index > BETWEEN_CHARS_MAX) return undefined
    if (!SIGNS.test(next.slice(0, index)) && !isScrambled(run)) continue
    RUN_END.lastIndex = at + index
    return RUN_END.test(text) ? RUN_END.lastIndex : undefined
  }
  const last = LAST_LINE.exec(next)
  return last === null ? undefined : at + last[0].length
}

/** Where a group ends that is as long as the one before, or the first of several. */
function nextGroupEnd(text: string, at: number, next: string): number | undefined {
  NEXT_GROUP.lastIndex = 0
  const group = NEXT_GROUP.exec(next)?.[1]
  if (group === undefined) return undefined
  const last = LAST_GROUP.exec(text.slice(Math.max(0, at - 16), at))?.[0].length
  const isFirst = (): boolean => groupsStart(next.slice(0, 2 * PIECE_CHARS)) === next.search(/[A-Za-z0-9+/]/)
  return group.length === last || isFirst() ? at + NEXT_GROUP.lastIndex : undefined
}
