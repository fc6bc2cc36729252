/**
 * How well the detectors judge: node bench/judgement.ts [--data FOLDER] [--reasons [--only GROUP]]
 *
 * Judges each row of the data folder as the gateway does (its steps, its default policy, no flags) and prints, as Markdown,
 * what a caller gets: refused, suspected (marked and let through), redacted; Wilson intervals of 95 %, goals, processor time.
 * `--reasons` adds what each wrong refusal and each attack that got through was about.
 */
import { parseArgs } from 'node:util'
import { createJudge, type Judged } from './caller-judge.ts'
import { readSamples, type Sample } from './judgement-sample.ts'
import { judgementTable, type Result, sessionShare } from './judgement-table.ts'

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '../shared/data' },
    reasons: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})

const print = (line: string): unknown => process.stdout.write(`${line}\n`)
const EXCERPT_CHARS = 160
const SESSION_READS = 20

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

async function run(): Promise<void> {
  const judge = await createJudge()
  const wanted = readSamples(values.data).filter(
    ({ group }) => values.only === undefined || group.includes(values.only),
  )
  const results: Result[] = []
  const wrong: string[] = []
  // The first ones pay for code that is not compiled yet.
  for (const { stage, body } of wanted.slice(0, 300)) await judge(stage, body)
  for (const sample of wanted) {
    const judged = await judge(sample.stage, sample.body)
    const isRefused = judged.verdict.action === 'block'
    results.push({
      group: sample.group,
      isAttack: sample.isAttack,
      isRefused,
      isRedacted: judged.verdict.action === 'redact',
      isNoted:
        !isRefused &&
        judged.findings.some(({ kind, confidence }) => /^injection|^unicode/.test(kind) && confidence >= 0.5),
      chars: Buffer.byteLength(sample.text),
      us: judged.us,
      ...(sample.repo === undefined ? {} : { repo: sample.repo }),
    })
    if (isRefused === sample.isAttack) continue
    for (const line of reasonLines(judged, sample)) wrong.push(`${sample.group}\t${sample.repo ?? ''}\t${line}`)
  }
  print(judgementTable(results))
  const files = results.filter(({ group }) => group === 'file')
  if (files.length > 0)
    print(
      `Sessions that read ${SESSION_READS} files of a repository and meet a refusal: ${(100 * sessionShare(files, SESSION_READS)).toFixed(0)} %\n`,
    )
  if (values.reasons) for (const line of wrong) print(line)
}

await run()
