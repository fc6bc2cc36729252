/** How the injection model is trained. What it learns from, and under which licences, is said in train-injection.ts. */
import { globSync, readFileSync } from 'node:fs'
import {
  FEATURE_BUCKETS,
  FeatureHasher,
  type InjectionModel,
  windowsOf,
} from '../server/rules/injection/linear-model.ts'
import { createSentences, sequence } from './injection-corpus.ts'

/** A row of injection-dev.jsonl. */
export type Row = Readonly<{ set: string; channel: 'user' | 'tool'; label: 0 | 1; text: string }>
type Example = Readonly<{ cells: Int32Array; label: 0 | 1; weight: number }>

/** Rows that are attacks only beside a system prompt we don't see ("What is the capital of …") would teach to refuse questions. */
const EXPLICIT = /ignor|forget|disregard|password|passcode|secret|instruction|system|developer|override|pretend/i

const EPOCHS = 10
const RATE = 0.5
const DECAY = 3e-6

/** Reads the rows of the data folder. */
export function readRows(folder: string): readonly Row[] {
  const lines = readFileSync(`${folder}/injection-dev.jsonl`, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Row)
}

/** Markdown and type definitions of the installed npm packages: harmless documents, full of orders to the reader. */
export const documents = (): readonly string[] =>
  globSync(['node_modules/**/*.md', 'node_modules/{@types,fastify,undici,zx,execa,pg}/**/*.d.ts'])
    .filter((path) => !/changelog|license|history/i.test(path))
    .sort()
    .map((path) => readFileSync(path, 'utf8'))

const windowTexts = (text: string, most: number): readonly string[] =>
  windowsOf(text)
    .slice(0, most)
    .map(([start, end]) => text.slice(start, end))

function examplesOf(rows: readonly Row[], texts: readonly string[]): readonly Example[] {
  const hasher = new FeatureHasher()
  const example = (text: string, label: 0 | 1, weight: number): Example => ({
    cells: hasher.bucketsOf(text).slice(),
    label,
    weight,
  })
  // Attacks in documents are told by their address, not by their manner: phrases do that.
  const learned = rows.filter(
    ({ set, channel, label, text }) =>
      (channel === 'user' || label === 0) && (set !== 'cyberseceval' || EXPLICIT.test(text)),
  )
  return [
    ...learned.flatMap(({ set, label, text }) =>
      windowTexts(text, 2).map((window) => example(window, label, set === 'notinject' ? 2 : 1)),
    ),
    ...createSentences('benignPrompt', 1500, 1).map((text) => example(text, 0, 0.6)),
    ...createSentences('roleAndRules', 3000, 4).map((text) => example(text, 0, 0.6)),
    ...createSentences('attackPrompt', 600, 2).map((text) => example(text, 1, 0.3)),
    ...createSentences('documentLine', 100, 3).map((text) => example(text, 0, 0.5)),
    ...texts.flatMap((text) => windowTexts(text, 3).map((window) => example(window, 0, 0.5))),
  ]
}

/**
 * Trains a model on rows and harmless documents: logistic regression by AdaGrad (Duchi and others 2011), each pass in
 * another order, the same in each run.
 */
export function trainInjection(rows: readonly Row[], texts: readonly string[]): InjectionModel {
  const examples = examplesOf(rows, texts)
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
      for (const cell of cells) {
        const slope = error * norm + DECAY * (weights[cell] as number)
        squares[cell] = (squares[cell] as number) + slope * slope
        weights[cell] = (weights[cell] as number) - (RATE * slope) / Math.sqrt(squares[cell] as number)
      }
      biasSquares += error * error
      bias -= (0.3 * error) / Math.sqrt(biasSquares)
    }
  }
  const scale = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) / 127
  return { weights: Int8Array.from(weights, (weight) => Math.round(weight / scale)), scale, bias }
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
