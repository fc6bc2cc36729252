/**
 * Measures the detectors one by one: node bench/detectors.ts [DATA_FOLDER]
 *
 * Prints, as Markdown, for personal data precision and recall by type; how often anything is found in harmless texts;
 * and the time that each step takes. What a caller gets of it all is measured by bench/judgement.ts.
 */
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import type { Call, Segment } from '../server/core/call.ts'
import type { Finding } from '../server/core/finding.ts'
import type { LocalStep, StepContext } from '../server/core/step.ts'
import { createEngine } from '../server/detection/engine.ts'
import { project } from '../server/protocol/projection.ts'
import { RULE_FUNCTIONS } from '../server/rules/check/rule-functions.ts'
import { readRuleBook } from '../server/rules/rule-book.ts'
import { createStep as createClassifyData } from '../server/steps/classify-data.ts'
import { createStep as createDetectInjection } from '../server/steps/detect-injection.ts'
import { createStep as createDetectOpaque } from '../server/steps/detect-opaque.ts'
import { createStep as createDetectPii } from '../server/steps/detect-pii.ts'
import { createStep as createDetectSecrets } from '../server/steps/detect-secrets.ts'
import { step as detectUnicode } from '../server/steps/detect-unicode.ts'
import { createStep as createScanOutput } from '../server/steps/scan-output.ts'
import { step as validateInput } from '../server/steps/validate-input.ts'
import { readPiiRows, scoreSpans } from './span-score.ts'
import { packageDocuments } from './training-text.ts'

const engine = createEngine(readRuleBook().rules, RULE_FUNCTIONS)
const [detectPii, detectSecrets, scanOutput] = [createDetectPii, createDetectSecrets, createScanOutput].map((create) =>
  create(engine),
) as [LocalStep, LocalStep, LocalStep]
const STEPS: readonly LocalStep[] = [
  validateInput,
  detectPii,
  detectSecrets,
  detectUnicode,
  createClassifyData(engine),
  createDetectOpaque(engine),
  createDetectInjection(engine),
  scanOutput,
]

const folder = process.argv[2] ?? '../shared/data'
type Row = Readonly<{ set: string; channel: 'user' | 'tool'; label: 0 | 1; text: string }>
const rows = readFileSync(`${folder}/injection-dev.jsonl`, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row)
const texts = packageDocuments()

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`

function table(head: readonly string[], lines: readonly (readonly string[])[]): void {
  console.log(`| ${head.join(' | ')} |\n|${'---|'.repeat(head.length)}`)
  for (const line of lines) console.log(`| ${line.join(' | ')} |`)
  console.log()
}

const segmentOf = ({ channel, text }: Pick<Row, 'channel' | 'text'>): Segment => ({
  pointer: '/t',
  author: channel,
  text,
})

const callWith = (segments: readonly Segment[], body: unknown = {}): Call => ({
  id: 'bench',
  stage: 'request',
  agent: { id: 'bench', uuid: 'ag_bench', org: 'default' },
  session: undefined,
  model: 'echo',
  isStream: false,
  flags: {},
  body,
  bodyBytes: 0,
  segments,
})

const tools: StepContext = {
  nowMs: 0,
  limiter: { take: async () => ({ isAllowed: true, remaining: 1, resetMs: 0 }) },
  limits: { callsMax: 1, windowMs: 1, bodyBytesMax: 5_000_000 },
}

async function measurePii(): Promise<void> {
  const labelled = readPiiRows(folder)
  const found: (readonly Finding[])[] = []
  for (const { text } of labelled)
    found.push(await detectPii.inspect(callWith([{ pointer: '/t', author: 'user', text }]), tools))
  console.log('### Personal data, pii-dev.jsonl\n')
  table(
    ['kind', 'in the set', 'precision', 'recall', 'exact span'],
    [...scoreSpans(labelled, found)].map(([kind, { right, exact, missed, wrong }]) => [
      kind,
      String(right + missed),
      percent(right, right + wrong),
      percent(right, right + missed),
      percent(exact, right + missed),
    ]),
  )
}

/** What is found in texts where nothing should be: a look at precision outside the labelled set. */
async function measureHarmless(): Promise<void> {
  const harmless = rows.filter(({ label }) => label === 0).map(segmentOf)
  const lines: string[][] = []
  for (const [name, segments] of [
    ['harmless rows of injection-dev', harmless],
    ['npm documents', texts.map((text) => segmentOf({ channel: 'tool', text }))],
  ] as const) {
    for (const step of [detectPii, detectSecrets, detectUnicode, scanOutput]) {
      const kinds = new Map<string, number>()
      let touched = 0
      for (const segment of segments) {
        const found = (await step.inspect(callWith([segment]), tools)).filter(({ confidence }) => confidence >= 0.5)
        if (found.length > 0) touched++
        for (const { kind } of found) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      }
      lines.push([
        name,
        step.name,
        `${touched} of ${segments.length}`,
        [...kinds].map(([kind, count]) => `${kind} ${count}`).join(', '),
      ])
    }
  }
  console.log('### Found at 0.5 or more in texts that nobody labelled\n')
  table(['texts', 'step', 'texts with a finding', 'kinds'], lines)
}

/** CPU time of one call, every step's own share; bodies are fresh, so nothing has been worked out before. */
async function measureTime(): Promise<void> {
  const prose = rows
    .filter(({ set }) => set === 'wildguard')
    .map(({ text }) => text)
    .join('\n\n')
  const lines: string[][] = []
  for (const [name, source] of [
    ['prose', prose],
    ['documents with code', texts.join('\n')],
  ] as const) {
    for (const kilobytes of [4, 32]) {
      const rounds = kilobytes === 4 ? 400 : 60
      const bodies = Array.from({ length: rounds }, (_, round) => {
        const from = (round * 1997) % (source.length - kilobytes * 1024)
        return {
          model: 'gpt-4o',
          messages: [{ role: 'user', content: Buffer.from(source.slice(from, from + kilobytes * 1024)).toString() }],
        }
      })
      lines.push([name, `${kilobytes} KB`, ...(await timeSteps(bodies))])
    }
  }
  console.log('### CPU microseconds a call, one core (mean)\n')
  table(['body', 'size', 'project', ...STEPS.map(({ name }) => name), 'all'], lines)
}

async function timeSteps(bodies: readonly unknown[]): Promise<readonly string[]> {
  const time = async (work: () => void | Promise<void>): Promise<number> => {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / bodies.length
  }
  const pass = async (): Promise<readonly number[]> => {
    let calls: readonly Call[] = []
    const shares = [
      await time(() => {
        calls = bodies.map((body) => callWith(project(body), body))
      }),
    ]
    for (const step of STEPS)
      shares.push(
        await time(async () => {
          for (const call of calls) await step.inspect(call, tools)
        }),
      )
    return shares
  }
  await pass()
  const shares = await pass()
  return [...shares, shares.reduce((sum, share) => sum + share, 0)].map((share) => share.toFixed(0))
}

const start = performance.now()
await measurePii()
await measureHarmless()
await measureTime()
console.log(`Node ${process.version}, ${((performance.now() - start) / 1000).toFixed(0)} s`)
