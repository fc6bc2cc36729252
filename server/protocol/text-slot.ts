/** The place of a held text in a chunk. As JSON it is what of the text may leave; it has no member that could be projected. */
export class TextSlot {
  #text = ''
  #heldChars: number

  /** `heldChars`: the length of the text that came. */
  constructor(heldChars: number) {
    this.#heldChars = heldChars
  }

  /** Characters of the text that came and have not been judged to their end. */
  get heldChars(): number {
    return this.#heldChars
  }

  /** What may leave and has not. */
  get text(): string {
    return this.#text
  }

  /** Puts in what the first `chars` of the held characters have become. */
  fill(text: string, chars: number): void {
    this.#text += text
    this.#heldChars -= chars
  }

  /** Takes out what may leave. */
  empty(): void {
    this.#text = ''
  }

  /** What of it JSON shows. */
  toJSON(): string {
    return this.#text
  }
}
