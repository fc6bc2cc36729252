/**
 * Trains the injection model: node bench/train-injection.ts [DATA_FOLDER] [--write]
 *
 * Learns from injection-dev.jsonl (its sources, all MIT but the last: NotInject and WildGuard rows of leolee99/InjecGuard;
 * CyberSecEval and MITRE prompts of meta-llama/PurpleLlama, copyright Meta Platforms; contexts of microsoft/BIPIA,
 * copyright Microsoft; prompts of NVIDIA/garak, Apache-2.0, copyright NVIDIA and the garak authors), from this project's own
 * sentences (injection-corpus.ts), and, as harmless documents, from Markdown files and type definitions of its npm dependencies. The weights
 * are sums over all of these; no text can be read from them.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { documents, readRows, trainInjection } from './injection-training.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean' } },
})
const rows = readRows(positionals[0] ?? '../shared/data')
const texts = documents()
const { weights, scale, bias } = trainInjection(rows, texts)
const module = `/** Weights of the injection model, written by bench/train-injection.ts, which names what they were learned from. */

/** A signed byte for each cell, in base64; scale and bias as in injection-model.ts. */
export const INJECTION_WEIGHTS = {
  scale: ${scale},
  bias: ${bias},
  // biome-ignore format: one long text
  base64: '${Buffer.from(weights.buffer).toString('base64')}',
} as const
`
if (values.write) writeFileSync('server/rules/injection/model-weights.ts', module)
console.log(
  `${rows.length} rows, ${texts.length} documents; bias ${bias.toFixed(2)}; ${module.length} bytes${values.write ? ' written' : ''}`,
)
