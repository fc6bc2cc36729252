/** How the injection models are trained. What they learn from is in training-text.ts. */
import { createHash } from 'node:crypto'
import type { InjectionModels } from '../server/rules/injection/injection-detector.ts'
import { FEATURE_BUCKETS, FeatureHasher, type InjectionModel } from '../server/rules/injection/linear-model.ts'
import { documentWindows, promptWindows, type Window } from '../server/rules/injection/text-window.ts'
import { sequence } from './injection-corpus.ts'
import type { TrainingText, TrainingTexts } from './training-text.ts'

type Example = Readonly<{ cells: Int32Array; label: 0 | 1; weight: number }>

const EPOCHS = 10
const RATE = 0.1
const BIAS_RATE = 0.3
const DECAY = 3e-6
const ERROR_MIN = 1e-4

/** Log-odds of what is surely enough an attack: fewer than one in a thousand ordinary texts that were not seen reach it. */
const THRESHOLDS = { prompt: 0.22, document: 0.05 } as const

/** Small steps give small log-odds: so many times as much sets texts of unknown words well below a suspicion. */
const SHARPNESS = 2.5

/** In which of so many parts a text is when all but one are learned from; texts whose longest lines begin alike, or of one repository, go together. */
export function foldOf(key: string, folds: number): number {
  const line = key.split('\n').reduce((longest, one) => (one.length > longest.length ? one : longest), '')
  const letters = line
    .toLowerCase()
    .replace(/[^\p{L}]+/gu, ' ')
    .trim()
  return (createHash('sha256').update(letters.slice(0, 48)).digest()[0] as number) % folds
}

/** Trains both models; the same texts give the same models. */
export function trainModels({ prompts, documents }: TrainingTexts): InjectionModels {
  return { prompt: trainPrompts(prompts), document: trainDocuments(documents) }
}

const PROMPT_WINDOWS_MAX = 4
const DOCUMENT_WINDOWS_MAX = 400
const PROMPT_CHARS_MIN = 40

function trainPrompts(texts: readonly TrainingText[]): InjectionModel {
  const hasher = new FeatureHasher()
  const examples = texts.flatMap(({ text, label, weight }) =>
    promptWindows(text)
      .slice(0, PROMPT_WINDOWS_MAX)
      .filter(([start, end]) => end - start >= PROMPT_CHARS_MIN)
      .map(([start, end]): Example => ({ cells: hasher.bucketsOf(text, start, end).slice(), label, weight })),
  )
  return train(examples, THRESHOLDS.prompt)
}

/** How often the model says which window of an attack's text is the attack, and learns again. */
const ROUNDS = 3

type Bag = Readonly<{ cells: readonly Int32Array[]; weight: number }>

/** Which window of an attack's text is the attack, nobody has said: it is one that no ordinary text has, and the worst of these. */
function trainDocuments(written: readonly TrainingText[]): InjectionModel {
  const texts = written.flatMap((text) => (ESCAPE.test(text.text) ? [text, withoutEscapes(text)] : [text]))
  const hasher = new FeatureHasher()
  const piecesOf = (text: string): readonly string[] =>
    documentWindows(text)
      .slice(0, DOCUMENT_WINDOWS_MAX)
      .map(([start, end]: Window) => text.slice(start, end))
  const cellsOf = (piece: string): Int32Array => hasher.bucketsOf(piece, 0, piece.length).slice()
  const ordinary = texts.filter(({ label }) => label === 0)
  const known = knownWords(ordinary.map(({ text }) => text))
  const negatives = ordinary.flatMap(({ text, weight }) =>
    piecesOf(text).map((piece): Example => ({ cells: cellsOf(piece), label: 0, weight })),
  )
  const bags = texts
    .filter(({ label }) => label === 1)
    .map(({ text, weight }): Bag => {
      const own = piecesOf(text).filter((piece) => !known(piece))
      return { cells: own.map(cellsOf), weight }
    })
  let model: InjectionModel | undefined
  for (let round = 0; round < ROUNDS; round++) {
    const score = model === undefined ? undefined : cellScore(model)
    model = train([...negatives, ...bags.flatMap((bag) => positivesOf(bag, score))], THRESHOLDS.document)
  }
  return model as InjectionModel
}

/** Line ends in strings: a gateway reads a text with its escapes resolved, too. */
const ESCAPE = /\\[nt"]/

function withoutEscapes(text: TrainingText): TrainingText {
  return { ...text, text: text.text.replaceAll(/\\[nt]/g, '\n').replaceAll('\\"', '"') }
}

const ROW_WORDS = 4
const KNOWN_SHARE = 0.6
const KNOWN_BITS = 2 ** 26

/** Says of a piece whether ordinary texts have most of it, in whatever lines: four words in a row, by their hashes. */
function knownWords(texts: readonly string[]): (piece: string) => boolean {
  const seen = new Uint8Array(KNOWN_BITS / 8)
  for (const text of texts)
    for (const row of wordRows(text)) seen[row >>> 3] = (seen[row >>> 3] as number) | (1 << (row & 7))
  return (piece) => {
    const rows = wordRows(piece)
    const known = rows.filter((row) => ((seen[row >>> 3] as number) >> (row & 7)) & 1).length
    return rows.length > 0 && known >= KNOWN_SHARE * rows.length
  }
}

function wordRows(text: string): readonly number[] {
  const words = text.match(/[\p{L}\p{N}]+/gu) ?? []
  return Array.from({ length: Math.max(0, words.length - ROW_WORDS + 1) }, (_, index) => {
    let hash = 0
    for (const letter of words.slice(index, index + ROW_WORDS).join(' '))
      hash = Math.imul(hash ^ (letter.codePointAt(0) as number), 0x01000193)
    return (hash ^ (hash >>> 15)) & (KNOWN_BITS - 1)
  })
}

/** The examples of a bag: at first all of its windows, each for a part; then the worst. */
function positivesOf({ cells, weight }: Bag, score: ((cells: Int32Array) => number) | undefined): readonly Example[] {
  if (score === undefined) return cells.map((one) => ({ cells: one, label: 1, weight: weight / cells.length }))
  const worst = cells.toSorted((a, b) => score(b) - score(a))[0]
  return worst === undefined ? [] : [{ cells: worst, label: 1, weight }]
}

function cellScore({ weights }: InjectionModel): (cells: Int32Array) => number {
  return (cells) => cells.reduce((sum, cell) => sum + (weights[cell] as number), 0) / Math.sqrt(cells.length || 1)
}

/** Logistic regression by AdaGrad (Duchi and others 2011), each pass in another order, the same in each run. */
function train(examples: readonly Example[], threshold: number): InjectionModel {
  const weights = new Float64Array(FEATURE_BUCKETS)
  const squares = new Float64Array(FEATURE_BUCKETS).fill(1e-6)
  let bias = 0
  let biasSquares = 1e-6
  const order = examples.map((_, index) => index)
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    shuffle(order, epoch)
    for (const index of order) {
      const { cells, label, weight } = examples[index] as Example
      const norm = 1 / Math.sqrt(cells.length || 1)
      let score = bias
      for (const cell of cells) score += (weights[cell] as number) * norm
      const error = (1 / (1 + Math.exp(-score)) - label) * weight
      if (Math.abs(error) < ERROR_MIN) continue
      for (const cell of cells) {
        const slope = error * norm + DECAY * (weights[cell] as number)
        squares[cell] = (squares[cell] as number) + slope * slope
        weights[cell] = (weights[cell] as number) - (RATE * slope) / Math.sqrt(squares[cell] as number)
      }
      biasSquares += error * error
      bias -= (BIAS_RATE * error) / Math.sqrt(biasSquares)
    }
  }
  const scale = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) / 127
  return {
    weights: Int8Array.from(weights, (weight) => Math.round(weight / scale)),
    scale: scale * SHARPNESS,
    bias: (bias - threshold) * SHARPNESS,
  }
}

function shuffle(order: number[], seed: number): void {
  const next = sequence(seed)
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1))
    const held = order[last] as number
    order[last] = order[other] as number
    order[other] = held
  }
}
