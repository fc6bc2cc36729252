/**
 * A linear classifier over hashed words, word pairs and character 4-grams: it finds attacks that no phrase matches.
 * Trained by bench/train-injection.ts on the data sets named there; the phrases come first.
 */

/** Features are hashed into this many buckets; each has one weight. */
export const FEATURE_BUCKETS = 2 ** 16

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

/** Letters, digits, apostrophes; beyond ASCII everything from the first letter on. */
function isWordCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === APOSTROPHE || code >= 0xaa
}

/** Hashes texts into buckets. One at a time: a result is valid until the next text is hashed. */
export class FeatureHasher {
  /** Which buckets the current text has filled, by its number, so that nothing needs clearing; and the list of them. */
  readonly #filledIn = new Uint32Array(FEATURE_BUCKETS)
  readonly #filled = new Int32Array(FEATURE_BUCKETS)
  #textNumber = 0
  #count = 0

  #fill(hash: number): void {
    const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    const bucket = (mixed ^ (mixed >>> 12)) & (FEATURE_BUCKETS - 1)
    if (this.#filledIn[bucket] === this.#textNumber) return
    this.#filledIn[bucket] = this.#textNumber
    this.#filled[this.#count++] = bucket
  }

  /** Returns the buckets that a text fills, each once. */
  bucketsOf(text: string): Int32Array {
    this.#textNumber = this.#textNumber === 0xffffffff ? 1 : this.#textNumber + 1
    this.#count = 0
    const lower = text.toLowerCase()
    let word = 0x811c9dc5
    let previousWord = 0x1234567
    let isInWord = false
    // The last three characters, one blank for everything between words.
    let a = BLANK
    let b = BLANK
    let c = BLANK
    // One past the end: the end of the text ends a word, as a blank does.
    for (let index = 0; index <= lower.length; index++) {
      const code = index < lower.length ? lower.charCodeAt(index) : BLANK
      const isWord = isWordCode(code)
      if (!isWord && !isInWord) continue
      const d = isWord ? code : BLANK
      this.#fill(Math.imul(Math.imul(Math.imul(a * 31 + b, 0x9e3779b1) ^ c, 0x85ebca6b) ^ d, 0xc2b2ae35))
      a = b
      b = c
      c = d
      if (isWord) word = Math.imul(word ^ code, 0x01000193)
      else {
        this.#fill(word ^ 0x5bd1e995)
        this.#fill(Math.imul(previousWord, 31) ^ word ^ 0x27d4eb2f)
        previousWord = word
        word = 0x811c9dc5
      }
      isInWord = isWord
    }
    return this.#filled.subarray(0, this.#count)
  }
}

/** Gives one window the log-odds of being an attack: the normalized sum of its weights, so that length says nothing. */
export function createWindowScore(
  { weights, scale, bias }: InjectionModel,
  hasher: FeatureHasher,
): (text: string) => number {
  return (text) => {
    const buckets = hasher.bucketsOf(text)
    let sum = 0
    for (let index = 0; index < buckets.length; index++) sum += weights[buckets[index] as number] as number
    return bias + (buckets.length === 0 ? 0 : (sum * scale) / Math.sqrt(buckets.length))
  }
}
