/**
 * How well the detectors judge: node bench/judgement.ts [--data FOLDER] [--folds 5 | sources] [--reasons] [--only GROUP] [--peers]
 *
 * Judges each row of the data folder as the gateway does (its steps, its default policy, no flags) and prints, as Markdown,
 * what a caller gets: refused, suspected (marked and let through), redacted; Wilson intervals of 95 %, goals, processor time.
 * `--folds`: also by models that were trained without the rows that they judge, nor any of the same beginning or repository;
 * `sources`: nor any of the same source.
 * `--peers`: then also the detectors of others (detector-peers/) on the same rows, and on the examples of gitleaks; `--peer NAME` only that
 * one, `--cache FOLDER` where they are installed to.
 * `--files`: the files of a folder in place of the data. `--reasons` adds what each wrong refusal and each attack that got through was about.
 */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Finding } from '../server/core/finding.ts'
import { createJudge, type Judge, type Judged } from './caller-judge.ts'
import { printPeers } from './detector-peer-run.ts'
import { gitleaksExamples } from './gitleaks-example.ts'
import { foldOf, trainModels } from './injection-training.ts'
import { readFolder, readSamples, type Sample } from './judgement-sample.ts'
import { judgementTable, type Result, sessionShare } from './judgement-table.ts'
import { readTrainingTexts, sourceOf, type TrainingText } from './training-text.ts'

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '../shared/data' },
    reasons: { type: 'boolean', default: false },
    only: { type: 'string' },
    files: { type: 'string', multiple: true, default: [] },
    folds: { type: 'string', default: '0' },
    peers: { type: 'boolean', default: false },
    peer: { type: 'string', multiple: true, default: [] },
    cache: { type: 'string', default: join(homedir(), '.cache/tappass-bench') },
  },
})

const print = (line: string): unknown => process.stdout.write(`${line}\n`)
const EXCERPT_CHARS = 160
const SESSION_READS = 20
const WARM_UP = 300

/** Why it was refused, or, of what got through, what was found: kind, confidence and the words. */
function reasonLines({ verdict, findings, segments }: Judged, sample: Sample): readonly string[] {
  const refusing = verdict.action === 'block' ? verdict.reasons.map(({ kind }) => kind) : undefined
  const seen = refusing === undefined ? findings : findings.filter(({ kind }) => refusing.includes(kind))
  const lines = seen.map(({ kind, confidence, pointer, span: [start, end] }) => {
    const text = segments.find((segment) => segment.pointer === pointer)?.text ?? ''
    const around = `${text.slice(Math.max(0, start - 30), start)}⟦${text.slice(start, end).slice(0, EXCERPT_CHARS)}⟧${text.slice(end, end + 30)}`
    return `${kind} ${confidence} ${JSON.stringify(around)}`
  })
  return lines.length > 0 ? lines : [`nothing found: ${JSON.stringify(sample.text.slice(0, EXCERPT_CHARS))}`]
}

/** Judges samples one after the other. */
async function judgeAll(
  judge: Judge,
  samples: readonly Sample[],
  tell: (line: string) => void,
): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const sample of samples) {
    const judged = await judge(sample.stage, sample.body)
    const isRefused = judged.verdict.action === 'block'
    results.push({
      group: sample.group,
      isAttack: sample.isAttack,
      isRefused,
      isRedacted: judged.verdict.action === 'redact',
      isSuspected: !isRefused && judged.findings.some(isSuspicion),
      refusing: judged.verdict.action === 'block' ? judged.verdict.reasons.map(({ kind }) => kind) : [],
      noticed: judged.findings.flatMap(({ kind, confidence }) => (confidence >= 0.5 ? [kind] : [])),
      bytes: Buffer.byteLength(sample.text),
      us: judged.us,
      ...(sample.repo === undefined ? {} : { repo: sample.repo }),
    })
    if (isRefused === sample.isAttack) continue
    for (const line of reasonLines(judged, sample)) tell(`${sample.group}\t${sample.repo ?? ''}\t${line}`)
  }
  return results
}

const isSuspicion = ({ kind, confidence }: Finding): boolean => kind.startsWith('injection.') && confidence >= 0.5

/** Says of texts and samples whether they belong to a part that is left out of training. */
type LeftOut = (one: Readonly<{ key?: string; set?: string }>) => boolean

/** The parts: so many folds, or each source. */
function partsOf(samples: readonly Sample[], folds: string): readonly LeftOut[] {
  if (folds === 'sources') {
    const sources = new Set(samples.flatMap(({ set }) => (set === undefined ? [] : [sourceOf(set)])))
    return [...sources].map(
      (source): LeftOut =>
        ({ set }) =>
          set !== undefined && sourceOf(set) === source,
    )
  }
  const count = Number(folds)
  return Array.from(
    { length: count },
    (_, fold): LeftOut =>
      ({ key }) =>
        key !== undefined && foldOf(key, count) === fold,
  )
}

/** The samples of each part, judged by models that have learned from nothing in it. */
async function judgeUnseen(
  samples: readonly Sample[],
  parts: readonly LeftOut[],
  tell: (line: string) => void,
): Promise<readonly Result[]> {
  const { prompts, documents } = readTrainingTexts(values.data)
  const results: Result[] = []
  for (const isLeftOut of parts) {
    const isLearned = (text: TrainingText): boolean => !isLeftOut(text)
    const models = trainModels({ prompts: prompts.filter(isLearned), documents: documents.filter(isLearned) })
    results.push(...(await judgeAll(await createJudge(models), samples.filter(isLeftOut), tell)))
  }
  return results
}

/** The samples of the folders; beside others also examples of secrets, of which the data have few. */
async function allSamples(isBesideOthers: boolean): Promise<readonly Sample[]> {
  if (values.files.length > 0) return values.files.flatMap(readFolder)
  const examples = isBesideOthers ? await gitleaksExamples(values.cache) : []
  if (typeof examples !== 'string') return [...readSamples(values.data), ...examples]
  print(`There are no examples of gitleaks: ${examples}\n`)
  return readSamples(values.data)
}

async function run(): Promise<void> {
  const isBesideOthers = values.peers || values.peer.length > 0
  const all = await allSamples(isBesideOthers)
  const samples = all.filter(({ group }) => values.only === undefined || group.includes(values.only))
  const wrong: string[] = []
  const tell = (line: string): unknown => wrong.push(line)
  const parts = partsOf(samples, values.folds)
  const judge = await createJudge()
  // The first ones pay for code that is not compiled yet.
  await judgeAll(judge, samples.slice(0, WARM_UP), () => {})
  const results = await judgeAll(judge, samples, parts.length === 0 ? tell : () => {})
  const unseen = parts.length === 0 ? [] : await judgeUnseen(samples, parts, tell)
  print(judgementTable(results, unseen))
  const files = results.filter(({ group }) => group === 'file')
  if (files.length > 0) {
    const share = sessionShare(files, SESSION_READS)
    print(
      `Sessions that read ${SESSION_READS} files of a repository and meet a refusal: ${(100 * share).toFixed(0)} %\n`,
    )
  }
  if (isBesideOthers) await printPeers({ samples, results, unseen, judge, print, ...values })
  if (values.reasons) for (const line of wrong) print(line)
}

await run()
