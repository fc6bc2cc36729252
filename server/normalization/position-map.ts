/**
 * Where each place of an edited text stood before: of each edit, three numbers in as few bytes as they need, so that a
 * million of them take some megabytes. Every so many edits a mark says how far they have come.
 */
/** Edits between two marks: what is read to find one. */
const EDITS_PER_MARK = 32

/** Maps a range of the edited text to the range of the source. */
export type SpanMap = (start: number, end: number) => readonly [start: number, end: number]

/** A piece of the result, copied from the source or put in place of a range of it. */
type Piece = Readonly<{ resultStart: number; sourceStart: number; sourceEnd: number; isReplaced: boolean }>

/** Collects edits in the order of the text. */
export class PositionMap {
  /** Of each edit: how much was copied before it, how much it took out, how much it put in. */
  readonly #lengths = new ByteList()
  readonly #markResults = new NumberList()
  readonly #markSources = new NumberList()
  readonly #markOffsets = new NumberList()
  #count = 0
  #result = 0
  #source = 0

  /** Edits so far. */
  get count(): number {
    return this.#count
  }

  /** Where the last edit ended in the source. */
  get source(): number {
    return this.#source
  }

  /** Adds the edit that replaces a range of the source by so many characters. */
  add(start: number, end: number, chars: number): void {
    if (this.#count % EDITS_PER_MARK === 0) {
      this.#markResults.push(this.#result)
      this.#markSources.push(this.#source)
      this.#markOffsets.push(this.#lengths.length)
    }
    const copied = start - this.#source
    this.#lengths.pushLength(copied)
    this.#lengths.pushLength(end - start)
    this.#lengths.pushLength(chars)
    this.#result += copied + chars
    this.#source = end
    this.#count += 1
  }

  /** Maps a range. One that begins or ends inside a replaced piece includes all of that piece's source. */
  readonly span: SpanMap = (start, end) => {
    const first = this.#pieceAt(start)
    const last = end > start ? this.#pieceAt(end - 1) : first
    return [
      first.isReplaced ? first.sourceStart : first.sourceStart + start - first.resultStart,
      last.isReplaced ? last.sourceEnd : last.sourceStart + end - last.resultStart,
    ]
  }

  /** The last piece that begins at an index of the result, or before it. */
  #pieceAt(index: number): Piece {
    const mark = lastAtOrBefore(this.#markResults, index)
    let result = this.#markResults.at(mark)
    let source = this.#markSources.at(mark)
    const lengths = this.#lengths.reader(this.#markOffsets.at(mark))
    while (lengths.hasMore()) {
      const copied = lengths.next()
      if (index < result + copied) break
      const sourceStart = source + copied
      const sourceEnd = sourceStart + lengths.next()
      const resultStart = result + copied
      result = resultStart + lengths.next()
      if (index < result) return { resultStart, sourceStart, sourceEnd, isReplaced: true }
      source = sourceEnd
    }
    return { resultStart: result, sourceStart: source, sourceEnd: source, isReplaced: false }
  }
}

/** Ascending numbers. */
type Ascending = Readonly<{ length: number; at: (index: number) => number | undefined }>

/** Binary search in ascending numbers for the last one that is at most `index`; 0 when all are greater. */
export function lastAtOrBefore(ascending: Ascending, index: number): number {
  let low = 0
  let high = ascending.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((ascending.at(middle) as number) <= index) low = middle
    else high = middle - 1
  }
  return low
}

/** What a list has room for at first. Buffers of any other kind would make each write take five times as long. */
const ROOM = 64

/** Numbers below 2^32. */
class NumberList {
  #numbers = new Uint32Array(ROOM / 4)
  length = 0

  /** Appends a number. */
  push(number: number): void {
    if (this.length === this.#numbers.length) {
      const more = new Uint32Array(2 * this.length)
      more.set(this.#numbers)
      this.#numbers = more
    }
    this.#numbers[this.length++] = number
  }

  /** The number at an index of the list. */
  at(index: number): number {
    return this.#numbers[index] as number
  }
}

/** Lengths, seven bits a byte, the lowest first; all but the last byte of a length have the highest bit. */
export class ByteList {
  #bytes = new Uint8Array(ROOM)
  length = 0

  /** Appends a length. */
  pushLength(length: number): void {
    let rest = length
    for (; rest > 127; rest >>>= 7) this.#push((rest & 127) | 128)
    this.#push(rest)
  }

  #push(byte: number): void {
    if (this.length === this.#bytes.length) {
      const more = new Uint8Array(2 * this.length)
      more.set(this.#bytes)
      this.#bytes = more
    }
    this.#bytes[this.length++] = byte
  }

  /** Reads lengths from an index on. */
  reader(from: number): Readonly<{ hasMore: () => boolean; next: () => number }> {
    const [bytes, end] = [this.#bytes, this.length]
    let at = from
    return {
      hasMore: () => at < end,
      next: () => {
        let length = 0
        for (let shift = 0; ; shift += 7) {
          const byte = bytes[at++] as number
          length |= (byte & 127) << shift
          if (byte < 128) return length
        }
      },
    }
  }
}
