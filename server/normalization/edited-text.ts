/** A text with some of its ranges replaced, which maps back to the original, so that findings can point at it. */

import { InspectionError } from '../core/inspection.ts'
import { PositionMap, type SpanMap } from './position-map.ts'
import { TextBuilder } from './text-builder.ts'

/** An edited text. `span` maps a range of it to the range of the original. */
export type EditedText = Readonly<{ text: string; span: SpanMap }>

/** Stands in place of omitted text; no pattern crosses it. */
export const OMISSION = '\n\uffff\n'

/** A text with more replacements takes too long to be read; nobody writes one. */
const REPLACEMENTS_MAX = 1_000_000

/** Collects replacements, from the start of a text to its end. Text farther than `contextChars` from any is omitted. */
export class EditableText {
  readonly #source: string
  readonly #contextChars: number
  readonly #places = new PositionMap()
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
    if (this.#places.count === 0) return undefined
    this.#omit(this.#source.length - this.#contextChars)
    this.#result.add(this.#source.slice(this.#places.source))
    return { text: this.#result.finish(), span: this.#places.span }
  }

  #put(start: number, end: number, by: string): void {
    if (this.#places.count >= REPLACEMENTS_MAX)
      throw new InspectionError('a text has more escapes than can be resolved')
    this.#result.add(this.#source.slice(this.#places.source, start))
    this.#result.add(by)
    this.#places.add(start, end, by.length)
  }

  /** Omits what is too far from the last replacement, up to an index. */
  #omit(to: number): void {
    const from = this.#places.count === 0 ? 0 : this.#places.source + this.#contextChars
    if (to - from > OMISSION.length) this.#put(from, to, OMISSION)
  }
}
