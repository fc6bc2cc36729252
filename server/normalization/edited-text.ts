/** A text with some of its ranges replaced, which maps back to the original, so that findings can point at it. */

import { InspectionError } from '../core/inspection.ts'
import { NumberList, TextBuilder } from './text-builder.ts'

/** An edited text. `span` maps a range of it to the range of the original. */
export type EditedText = Readonly<{
  text: string
  span: (start: number, end: number) => readonly [start: number, end: number]
}>

/** Stands in place of omitted text; no pattern crosses it. */
export const OMISSION = '\n\uffff\n'

/** A text with more replacements can't be mapped back in little memory; nobody writes one. */
const REPLACEMENTS_MAX = 1_000_000

/** Collects replacements, from the start of a text to its end. Text farther than `contextChars` from any is omitted. */
export class EditableText {
  readonly #source: string
  readonly #contextChars: number
  // Pieces, alternately copied and replaced: where each starts in the result, and where in the source.
  readonly #resultStarts = new NumberList()
  readonly #sourceStarts = new NumberList()
  readonly #result = new TextBuilder()

  constructor(source: string, contextChars: number) {
    this.#source = source
    this.#contextChars = contextChars
  }

  /** Replaces a range, which begins where the last one ended or later. Throws InspectionError after a million. */
  replace(start: number, end: number, by: string): void {
    this.#omit(start - this.#contextChars)
    this.#put(start, end, by)
  }

  /** The edited text; undefined when nothing was replaced. */
  finish(): EditedText | undefined {
    if (this.#sourceStarts.length === 1) return undefined
    this.#omit(this.#source.length - this.#contextChars)
    this.#result.add(this.#source.slice(this.#copiedTo()))
    const text = this.#result.finish()
    const [resultStarts, sourceStarts] = [this.#resultStarts.finish(), this.#sourceStarts.finish()]
    return { text, span: (start, end) => spanOf(resultStarts, sourceStarts, start, end) }
  }

  #copiedTo(): number {
    return this.#sourceStarts.last()
  }

  #put(start: number, end: number, by: string): void {
    if (this.#sourceStarts.length > 2 * REPLACEMENTS_MAX)
      throw new InspectionError('a text has more escapes than can be resolved')
    this.#result.add(this.#source.slice(this.#copiedTo(), start))
    this.#resultStarts.push(this.#result.length)
    this.#result.add(by)
    this.#resultStarts.push(this.#result.length)
    this.#sourceStarts.push(start)
    this.#sourceStarts.push(end)
  }

  /** Omits what is too far from the last replacement, up to an index. */
  #omit(to: number): void {
    const from = this.#sourceStarts.length === 1 ? 0 : this.#copiedTo() + this.#contextChars
    if (to - from > OMISSION.length) this.#put(from, to, OMISSION)
  }
}

/** A range that begins or ends inside a replaced piece includes all of that piece's source. */
function spanOf(
  resultStarts: ArrayLike<number>,
  sourceStarts: ArrayLike<number>,
  start: number,
  end: number,
): readonly [number, number] {
  const first = lastAtOrBefore(resultStarts, start)
  const last = end > start ? lastAtOrBefore(resultStarts, end - 1) : first
  const isReplaced = (piece: number): boolean => piece % 2 === 1
  const offset = (piece: number, index: number): number =>
    (sourceStarts[piece] as number) + index - (resultStarts[piece] as number)
  return [
    isReplaced(first) ? (sourceStarts[first] as number) : offset(first, start),
    isReplaced(last) ? (sourceStarts[last + 1] as number) : offset(last, end),
  ]
}

/** Binary search in ascending numbers for the last one that is at most `index`; 0 when all are greater. */
export function lastAtOrBefore(ascending: ArrayLike<number>, index: number): number {
  let low = 0
  let high = ascending.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((ascending[middle] as number) <= index) low = middle
    else high = middle - 1
  }
  return low
}
