/**
 * Trains the injection models: node bench/train-injection.ts [DATA_FOLDER] [--write]
 *
 * They learn from injection-dev.jsonl (NotInject and WildGuard rows of leolee99/InjecGuard, MIT; CyberSecEval and MITRE prompts of
 * meta-llama/PurpleLlama, MIT, copyright Meta Platforms; contexts of microsoft/BIPIA, MIT, copyright Microsoft; prompts of NVIDIA/garak,
 * Apache-2.0, copyright NVIDIA and the garak authors), ordinary-dev.jsonl (files of 14 repositories, MIT, Apache-2.0, BSD or CC0; oasst1, Apache-2.0;
 * f/awesome-chatgpt-prompts, CC0; yizhongw/self-instruct, Apache-2.0; lm-sys/FastChat, Apache-2.0), attacks-dev.jsonl (AgentDojo, MIT; TaskTracker, MIT;
 * verazuo/jailbreak_llms, MIT), from this project's own sentences (injection-corpus.ts), and, as harmless documents, from Markdown files
 * and type definitions of its npm dependencies. The weights are sums over all of these; no text can be read from them.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { InjectionModel } from '../server/rules/injection/linear-model.ts'
import { trainModels } from './injection-training.ts'
import { readTrainingTexts } from './training-text.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean' } },
})

function weightsText(name: string, about: string, { weights, scale, bias }: InjectionModel): string {
  return `/** ${about} */
export const ${name} = {
  scale: ${scale},
  bias: ${bias},
  // biome-ignore format: one long text
  base64: '${Buffer.from(weights.buffer).toString('base64')}',
} as const
`
}

const texts = readTrainingTexts(positionals[0] ?? '../shared/data')
const { prompt, document } = trainModels(texts)
const module = `/**
 * Weights of the injection models, written by bench/train-injection.ts, which names the training data: a signed byte for
 * each bucket, in base64; scale and bias as in linear-model.ts.
 */

${weightsText('PROMPT_WEIGHTS', 'For what users write.', prompt)}
${weightsText('DOCUMENT_WEIGHTS', 'For the lines of tool results and documents.', document)}`
if (values.write) writeFileSync('server/rules/injection/model-weights.ts', module)
console.log(
  `${texts.prompts.length} prompts, ${texts.documents.length} documents; ${module.length} bytes${values.write ? ' written' : ''}`,
)
