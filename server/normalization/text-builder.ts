/** Builds long texts out of very many pieces, in little more memory than they have in the end. */

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

/** A global replacement makes a node of 32 bytes of each match, and keeps them as long as its result is not read. */
const PART_CHARS = 64 * 1024

/** Replaces matches of one character, of a text as long as may be, part by part. */
export function replaceEach(text: string, character: RegExp, by: string): string {
  if (text.length <= PART_CHARS) return text.replace(character, by)
  const parts: string[] = []
  for (let at = 0; at < text.length; at += PART_CHARS)
    parts.push(
      text
        .slice(at, at + PART_CHARS)
        .split(character)
        .join(by),
    )
  return parts.join('')
}
