/** Builds long texts and lists of numbers out of very many pieces, in little more memory than they have in the end. */

/** Pieces that are joined at once. A text that grows piece by piece keeps a node of its own for each of them. */
const PIECES_MAX = 4_096

/** Builds a text. */
export class TextBuilder {
  readonly #chunks: string[] = []
  #pieces: string[] = []
  /** Characters so far. */
  length = 0

  /** Appends a piece. */
  add(piece: string): void {
    if (piece === '') return
    this.length += piece.length
    this.#pieces.push(piece)
    if (this.#pieces.length < PIECES_MAX) return
    this.#chunks.push(this.#pieces.join(''))
    this.#pieces = []
  }

  /** The text. */
  finish(): string {
    const rest = this.#pieces.join('')
    return this.#chunks.length === 0 ? rest : [...this.#chunks, rest].join('')
  }
}

/** A longer list is kept in four bytes a number. */
const PLAIN_MAX = 4_096

/** Ascending numbers below 2^32, the first of which is 0. */
export class NumberList {
  #numbers: number[] | Uint32Array = [0]
  length = 1

  /** Appends a number. */
  push(number: number): void {
    const isFull = this.length >= PLAIN_MAX && this.length >= this.#numbers.length
    if (isFull) {
      const more = new Uint32Array(2 * this.length)
      more.set(this.#numbers)
      this.#numbers = more
    }
    this.#numbers[this.length++] = number
  }

  /** The last number. */
  last(): number {
    return this.#numbers[this.length - 1] as number
  }

  /** The numbers, without room for more. */
  finish(): ArrayLike<number> {
    return this.#numbers.length === this.length ? this.#numbers : this.#numbers.slice(0, this.length)
  }
}
