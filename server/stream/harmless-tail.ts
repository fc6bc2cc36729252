/**
 * Whether the beginning of a match tells something of what it would be. Where a text pauses (another field begins, the
 * choice ends), what is pending at its end leaves when it tells nothing: a word may always turn out the start of something.
 */
import type { PendingFrom } from '../core/step.ts'
import { pendingStart } from '../normalization/pending-variant.ts'
import { mergeSpans } from '../pipeline/redaction.ts'

/** Numbers that identify somebody have nine digits and more. */
const DIGITS_MAX = 6

/** Invisible characters in a row are text for a machine from eight on. */
const INVISIBLE_MAX = 3

/** Longer words are no words. */
const WORD_CHARS_MAX = 32

const INVISIBLE = /\p{Cf}|\p{Variation_Selector}/gu

/** Runs of the characters that tokens, keys and encoded text consist of. */
const TOKEN = /[^\s"'`<>()[\]{},;:!?|*]{8,}/gu

/** A token that no language has as a word: with digits, escapes, or capitals inside. */
const GENERATED = /[\p{Nd}%\\]|[a-z][A-Z]/u

/** The same of three characters and more, in the place of a value: letters with digits among them, or capitals inside. */
const GENERATED_VALUE = /(?=[A-Za-z0-9]{3})(?:[A-Za-z]+[0-9]|[0-9]+[A-Za-z]|[A-Za-z]*[a-z][A-Z])/

/** Words in quotes that are open, in the place of a value: a password may have blanks. */
const OPEN_WORDS = /^["'`][^"'`\n]*\s[^"'`\n]*$/

/** A run that may be a key whose sign follows it (`-us3`): letters and digits, but not as many as a hash of a commit or a file has. */
const KEY_RUN = /(?<![A-Za-z0-9])(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{13,}(?:-\w{0,3})?$/
const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

/** Days tell of nobody alone; those of a birth are found as such. */
const DATE = /\b(?:(?:19|20)\d\d-\d\d-\d\d|\d{1,2}([./-])\d{1,2}\1(?:19|20)\d\d)\b/g

/**
 * Given a text that may continue and the spans of the findings in it, true when what has begun at its end and is not one of
 * these findings may leave. `digitsMax`: digits that tell nothing.
 */
export function isTailHarmless(
  text: string,
  pendingFrom: PendingFrom,
  findings: Parameters<typeof mergeSpans>[0],
  digitsMax = DIGITS_MAX,
): boolean {
  const spans = mergeSpans(findings)
  const valueStart = pendingStart(text, pendingFrom, 'valued')
  if (GENERATED_VALUE.test(restOf(text, valueStart, spans)) || OPEN_WORDS.test(text.slice(Math.max(0, valueStart - 1))))
    return false
  return isHarmless(restOf(text, pendingStart(text, pendingFrom, 'begun'), spans), digitsMax)
}

/**
 * True when a text ends in what may be a key without anything before it that says so. Ids look alike: it is for texts only.
 */
export function endsInKeyRun(text: string, findings: Parameters<typeof mergeSpans>[0]): boolean {
  const [run = ''] = KEY_RUN.exec(text) ?? []
  return run !== '' && !HASH.test(run) && restOf(text, text.length - run.length, mergeSpans(findings)) === run
}

/** What of a text follows an index and is in none of the spans. */
function restOf(text: string, index: number, spans: ReturnType<typeof mergeSpans>): string {
  let from = Math.max(0, index)
  let tail = ''
  for (const { start, end } of spans) {
    if (start > from) tail += text.slice(from, start)
    from = Math.max(from, end)
  }
  return tail + text.slice(from)
}

function isHarmless(given: string, digitsMax: number): boolean {
  const tail = given.replace(DATE, '')
  if (tail.includes('@') || countOf(tail, /\p{Nd}/gu) > digitsMax || countOf(tail, INVISIBLE) > INVISIBLE_MAX)
    return false
  return [...tail.matchAll(TOKEN)].every(([token]) => token.length <= WORD_CHARS_MAX && !GENERATED.test(token))
}

function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0
}
