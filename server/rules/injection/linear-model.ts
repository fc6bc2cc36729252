/**
 * A linear classifier over hashed words, their beginnings and word pairs: it finds attacks that no phrase matches.
 * Trained by bench/train-injection.ts on the data sets named there; the phrases come first.
 */

/** Features are hashed into this many buckets; each has one weight. */
export const FEATURE_BUCKETS = 2 ** 17

/** A trained model: a weight for each bucket as a signed byte, times `scale`; `bias` is added. */
export type InjectionModel = Readonly<{ weights: Int8Array; scale: number; bias: number }>

/** Reads a model as model-weights.ts holds it. */
export function parseModel({
  base64,
  scale,
  bias,
}: Readonly<{ base64: string; scale: number; bias: number }>): InjectionModel {
  return { weights: new Int8Array(Buffer.from(base64, 'base64')), scale, bias }
}

const APOSTROPHE = 39
const BLANK = 32
const EMPTY_WORD = 0x811c9dc5
const NO_WORD = 0x1234567

/** Words that begin alike have this many letters in common. */
const STEM_CHARS = 4

/** From here on are scripts that have no blanks between words: there pairs of characters are features, too. */
const UNSPACED_MIN = 0x0e00

/** Letters, digits, apostrophes; beyond ASCII everything from the first letter on. */
function isWordCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === APOSTROPHE || code >= 0xaa
}

/** A letter in lower case: Latin, Greek and Cyrillic capitals, without making another text. */
function lowered(code: number): number {
  if (code >= 65 && code <= 90) return code | 32
  if (code < 0xc0) return code
  if ((code <= 0xde && code !== 0xd7) || (code >= 0x391 && code <= 0x3a9) || (code >= 0x410 && code <= 0x42f))
    return code + 32
  return code >= 0x400 && code <= 0x40f ? code + 80 : code
}

function bucketOf(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 12)) & (FEATURE_BUCKETS - 1)
}

/** A text with a smaller share of different features says the same again and again, which makes nothing surer. */
const REPEATED_SHARE = 0.4

/** No character begins or ends more features than this. */
const FEATURES_PER_CHAR = 4

/** Hashes the features of texts into buckets. One text at a time: a result is valid until the next one is hashed. */
export class FeatureHasher {
  #buckets = new Int32Array(2 ** 14)
  /** Which buckets the current text has filled, by its number, so that nothing needs clearing. */
  readonly #filledIn = new Uint32Array(FEATURE_BUCKETS)
  #textNumber = 0

  /** Returns the bucket of each feature in a range of a text; of a text that mostly repeats itself, each bucket once. */
  bucketsOf(text: string, start: number, end: number): Int32Array {
    const most = (end - start + 1) * FEATURES_PER_CHAR
    if (this.#buckets.length < most) this.#buckets = new Int32Array(most)
    const count = this.#fill(text, start, end)
    const isRepeated = this.#once(count, false) < REPEATED_SHARE * count
    return this.#buckets.subarray(0, isRepeated ? this.#once(count, true) : count)
  }

  /** How many different buckets there are among the first; keeps only the first of equal ones, or all. */
  #once(count: number, isKept: boolean): number {
    const buckets = this.#buckets
    this.#textNumber = this.#textNumber === 0xffffffff ? 1 : this.#textNumber + 1
    let different = 0
    for (let index = 0; index < count; index++) {
      const bucket = buckets[index] as number
      if (this.#filledIn[bucket] === this.#textNumber) continue
      this.#filledIn[bucket] = this.#textNumber
      if (isKept) buckets[different] = bucket
      different++
    }
    return different
  }

  #fill(text: string, start: number, end: number): number {
    const buckets = this.#buckets
    let count = 0
    let word = EMPTY_WORD
    let previousWord = NO_WORD
    let chars = 0
    let previous = BLANK
    // One past the end: the end of the text ends a word, as a blank does.
    for (let index = start; index <= end; index++) {
      const code = index < end ? lowered(text.charCodeAt(index)) : BLANK
      if (isWordCode(code)) {
        word = Math.imul(word ^ code, 0x01000193)
        if (++chars === STEM_CHARS) buckets[count++] = bucketOf(word ^ 0x3333333)
        if (code >= UNSPACED_MIN) buckets[count++] = bucketOf(Math.imul(previous * 31 + code, 0x9e3779b1))
        previous = code
      } else if (chars > 0) {
        buckets[count++] = bucketOf(word ^ 0x5bd1e995)
        buckets[count++] = bucketOf(Math.imul(previousWord, 31) ^ word ^ 0x27d4eb2f)
        previousWord = word
        word = EMPTY_WORD
        chars = 0
        previous = BLANK
      }
    }
    return count
  }
}

/** Gives a range of a text the log-odds of being an attack: the normalized sum of its weights, so that length says nothing. */
export function createWindowScore(
  { weights, scale, bias }: InjectionModel,
  hasher: FeatureHasher,
): (text: string, start: number, end: number) => number {
  return (text, start, end) => {
    const buckets = hasher.bucketsOf(text, start, end)
    let sum = 0
    for (let index = 0; index < buckets.length; index++) sum += weights[buckets[index] as number] as number
    return bias + (buckets.length === 0 ? 0 : (sum * scale) / Math.sqrt(buckets.length))
  }
}
