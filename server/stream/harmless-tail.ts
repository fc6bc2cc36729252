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
  let from = Math.max(0, pendingStart(text, pendingFrom, true))
  let tail = ''
  for (const { start, end } of mergeSpans(findings)) {
    if (start > from) tail += text.slice(from, start)
    from = Math.max(from, end)
  }
  return isHarmless(tail + text.slice(from), digitsMax)
}

function isHarmless(tail: string, digitsMax: number): boolean {
  if (tail.includes('@') || countOf(tail, /\p{Nd}/gu) > digitsMax || countOf(tail, INVISIBLE) > INVISIBLE_MAX)
    return false
  return [...tail.matchAll(TOKEN)].every(([token]) => token.length <= WORD_CHARS_MAX && !GENERATED.test(token))
}

function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0
}
