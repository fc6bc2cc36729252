/**
 * Trains the injection model: node bench/train-injection.ts [DATA_FOLDER] [--write] [--cross-validate]
 *
 * Learns from injection-dev.jsonl (its sources, all MIT but the last: NotInject and WildGuard rows of leolee99/InjecGuard;
 * CyberSecEval and MITRE prompts of meta-llama/PurpleLlama, copyright Meta Platforms; contexts of microsoft/BIPIA,
 * copyright Microsoft; prompts of NVIDIA/garak, Apache-2.0, copyright NVIDIA and the garak authors), from this project's own
 * sentences (injection-corpus.ts), and, as harmless documents, from the Markdown files of its npm dependencies. The weights
 * are sums over all of these; no text can be read from them.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { cellsOf, type InjectionModel, MODEL_CELLS, windowScore, windowsOf } from '../server/core/injection-model.ts'
import { makeSentences, sequence } from './injection-corpus.ts'

type Row = Readonly<{ set: string; label: 0 | 1; text: string }>
type Example = Readonly<{ cells: Int32Array; label: 0 | 1; weight: number }>

/** Rows that are attacks only beside a system prompt we don't see ("What is the capital of …") would teach to refuse questions. */
const EXPLICIT = /ignor|forget|disregard|password|passcode|secret|instruction|system|developer|override|pretend/i

const EPOCHS = 10
const RATE = 0.5
const DECAY = 3e-6

function readRows(folder: string): readonly Row[] {
  const lines = readFileSync(`${folder}/injection-dev.jsonl`, 'utf8').trim().split('\n')
  const rows = lines.map((line) => JSON.parse(line) as Row & { channel: string })
  // Attacks in documents are told by their address, not by their manner: phrases do that.
  return rows.filter(({ channel, label }) => channel === 'user' || label === 0)
}

const documents = (): readonly string[] =>
  globSync('node_modules/**/*.md')
    .filter((path) => !/changelog|license|history/i.test(path))
    .sort()
    .map((path) => readFileSync(path, 'utf8'))

const windowTexts = (text: string, most: number): readonly string[] =>
  windowsOf(text)
    .slice(0, most)
    .map(([start, end]) => text.slice(start, end))

function examplesOf(rows: readonly Row[], texts: readonly string[]): readonly Example[] {
  const example = (text: string, label: 0 | 1, weight: number): Example => ({
    cells: cellsOf(text).slice(),
    label,
    weight,
  })
  const learned = rows.filter(({ set, text }) => set !== 'cyberseceval' || EXPLICIT.test(text))
  return [
    ...learned.flatMap(({ set, label, text }) =>
      windowTexts(text, 2).map((window) => example(window, label, set === 'notinject' ? 2 : 1)),
    ),
    ...makeSentences('benignPrompt', 1500, 1).map((text) => example(text, 0, 0.6)),
    ...makeSentences('attackPrompt', 600, 2).map((text) => example(text, 1, 0.3)),
    ...makeSentences('documentLine', 100, 3).map((text) => example(text, 0, 0.5)),
    ...texts.flatMap((text) => windowTexts(text, 3).map((window) => example(window, 0, 0.5))),
  ]
}

/** Logistic regression by AdaGrad (Duchi and others 2011); each pass in another order, the same in each run. */
function train(examples: readonly Example[]): InjectionModel {
  const weights = new Float64Array(MODEL_CELLS)
  const squares = new Float64Array(MODEL_CELLS).fill(1e-6)
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

const textScore = (model: InjectionModel, text: string): number =>
  Math.max(...windowTexts(text, 1000).map((window) => windowScore(model, window)))

/** Prints, for rows that the model was not trained on, how many score at least a threshold, by set. */
function crossValidate(rows: readonly Row[], texts: readonly string[]): void {
  const folds = 5
  const scores: { set: string; score: number }[] = []
  for (let fold = 0; fold < folds; fold++) {
    const isHeldOut = (_: unknown, index: number): boolean => index % folds === fold
    const model = train(
      examplesOf(
        rows.filter((row, index) => !isHeldOut(row, index)),
        texts.filter((text, index) => !isHeldOut(text, index)),
      ),
    )
    for (const { set, text } of rows.filter(isHeldOut)) scores.push({ set, score: textScore(model, text) })
    for (const text of texts.filter(isHeldOut)) scores.push({ set: 'npm documents', score: textScore(model, text) })
  }
  const sets = [...new Set(scores.map(({ set }) => set))]
  for (const threshold of [-1, 0, 0.5, 1, 2]) {
    const share = (set: string): string => {
      const of = scores.filter((row) => row.set === set)
      return ((100 * of.filter(({ score }) => score >= threshold).length) / of.length).toFixed(1)
    }
    console.log(`${threshold}\t${sets.map((set) => `${set} ${share(set)} %`).join('\t')}`)
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean' }, 'cross-validate': { type: 'boolean' } },
})
const rows = readRows(positionals[0] ?? '../shared/data')
const texts = documents()
if (values['cross-validate']) crossValidate(rows, texts)
const { weights, scale, bias } = train(examplesOf(rows, texts))
const module = `/** Weights of the injection model, written by bench/train-injection.ts, which names what they were learned from. */

/** A signed byte for each cell, in base64; scale and bias as in injection-model.ts. */
export const INJECTION_WEIGHTS = {
  scale: ${scale},
  bias: ${bias},
  // biome-ignore format: one long text
  base64: '${Buffer.from(weights.buffer).toString('base64')}',
} as const
`
if (values.write) writeFileSync('server/core/injection-weights.ts', module)
console.log(
  `${rows.length} rows, ${texts.length} documents; bias ${bias.toFixed(2)}; ${module.length} bytes${values.write ? ' written' : ''}`,
)
