/** Judgement beside others: installs the detectors of others, asks them about the samples that ours were asked about, and prints tables. */
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Judge } from './caller-judge.ts'
import { type DetectorPeer, type Family, type Found, loadDetectorPeers, type PeerJudgement } from './detector-peer.ts'
import { type Column, type Outcome, peerTable, type SpanColumn, spanTable, usPerKb } from './detector-peer-table.ts'
import { EXAMPLES } from './gitleaks-example.ts'
import { asUser, type Sample } from './judgement-sample.ts'
import { markdownTable, type Result } from './judgement-table.ts'
import { installPeer } from './peer.ts'
import { KIND_OF_TYPE, type KindSpan, readPiiRows, scoreSpans } from './span-score.ts'
import { UNMEASURED } from './unmeasured-peer.ts'

/** What is printed from: the samples, what ours made of them in the same order, and ours that had not seen them. */
export type PeerRun = Readonly<{
  samples: readonly Sample[]
  results: readonly Result[]
  unseen: readonly Result[]
  judge: Judge
  print: (line: string) => unknown
  data: string
  cache: string
  peer: readonly string[]
}>

type Installed = Readonly<{ peer: DetectorPeer; folder: string }>

/** `isMeasured`: samples that it is about. `isOurs`, `isTheirs`: whether a text was flagged by us, and by a peer. */
type Measure = Readonly<{
  title: string
  isMeasured: (sample: Sample) => boolean
  isOurs: (result: Result) => boolean
  isTheirs: (found: readonly Found[]) => boolean
}>

/** Below this Presidio is told by its own recognisers that a match is a guess: a licence by its length, an account by its digits. */
const SCORE_LEAST = 0.4

/** Numbers with a form of their own. A file may hold e-mail, network addresses and telephone numbers, and nobody labelled them. */
const NUMBERS = ['pii.credit_card', 'pii.ssn', 'pii.iban', 'pii.driver_license']

/** The same texts are there as a tool's, or as a prompt; who says a text matters to injection only. */
const isRepeated = (group: string): boolean => /, (by a user|as a file)$/.test(group)

const isAboutSecrets = (group: string): boolean => group === EXAMPLES || group.startsWith('everyday secret')

const MEASURES: Readonly<Record<Family, Measure>> = {
  secret: {
    title: 'Secrets: texts in which one is found',
    isMeasured: ({ group, isAttack }) => !isRepeated(group) && (!isAttack || isAboutSecrets(group)),
    isOurs: ({ refusing }) => refusing.some((kind) => kind.startsWith('secret.')),
    isTheirs: (found) => found.length > 0,
  },
  injection: {
    title: 'Injection: texts that are refused',
    isMeasured: ({ group }) => !isAboutSecrets(group),
    isOurs: ({ refusing }) => refusing.some((kind) => /^(injection|unicode)\./.test(kind)),
    isTheirs: (found) => found.length > 0,
  },
  pii: {
    title:
      'Personal data: ordinary texts in which a card, SSN, IBAN or driver licence is found (Presidio: from score 0.4)',
    isMeasured: ({ group, isAttack }) => !isRepeated(group) && !isAttack,
    isOurs: ({ noticed }) => noticed.some((kind) => NUMBERS.includes(kind)),
    isTheirs: (found) => kindSpans(found, SCORE_LEAST).some(({ kind }) => NUMBERS.includes(kind)),
  },
}

/** What a peer found, in our kinds; what we have none for is left out. */
const kindSpans = (found: readonly Found[], scoreLeast: number): readonly KindSpan[] =>
  found.flatMap(({ kind, span, score = 1 }) => {
    const ours = KIND_OF_TYPE[kind]
    return ours === undefined || span === undefined || score < scoreLeast ? [] : [{ kind: ours, span }]
  })

const progress = (line: string): unknown => process.stderr.write(`${line}\n`)

/** Installs all of them, or those that were named; says which can't be. */
async function installAll({ peer: named, cache, print }: PeerRun): Promise<readonly Installed[]> {
  const peers = await loadDetectorPeers()
  const wanted = peers.filter(({ name }) => named.length === 0 || named.some((part) => name.includes(part)))
  const installed: Installed[] = []
  const lines: string[] = []
  for (const peer of wanted) {
    progress(`installing ${peer.name} ${peer.version}, if it is not there`)
    const outcome = await installPeer(peer, cache)
    if ('folder' in outcome) installed.push({ peer, folder: outcome.folder })
    else lines.push(`${peer.name} ${peer.version} can't be installed: ${outcome.reason.replaceAll('\n', ' ')}\n`)
  }
  const load = loadavg().map((number) => number.toFixed(1))
  print(
    `## Beside others\n\n${new Date().toISOString().slice(0, 10)}, Node ${process.version}, load average ${load.join(' ')}\n`,
  )
  print(
    markdownTable(
      ['detector', 'set up as'],
      installed.map(({ peer }) => [`${peer.name} ${peer.version}`, peer.does]),
    ),
  )
  for (const line of [...lines, ...UNMEASURED.map(([name, reason]) => `${name} is not measured: ${reason}\n`)])
    print(line)
  return installed
}

/** Asks a peer about each different text once; gives its judgement of each text, or says why there is none. */
async function askAll(
  { peer, folder }: Installed,
  texts: readonly string[],
  print: PeerRun['print'],
): Promise<readonly PeerJudgement[] | undefined> {
  const different = [...new Set(texts)]
  progress(`${peer.name}: ${different.length} texts`)
  const scratch = await mkdtemp(join(tmpdir(), 'tappass-judgement-'))
  try {
    const judgements = await peer.judge({ folder, scratch }, different)
    const ofText = new Map(different.map((text, index) => [text, judgements[index] as PeerJudgement]))
    return texts.map((text) => ofText.get(text) as PeerJudgement)
  } catch (error) {
    print(
      `${peer.name} ${peer.version} is not measured here; it was started and failed: ${String(error).slice(0, 400)}\n`,
    )
    return undefined
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

function oursColumn(name: string, results: readonly Result[], isOurs: Measure['isOurs']): Column {
  return { name, outcomes: results.map((result) => ({ ...result, isFlagged: isOurs(result) })) }
}

async function printFamily(run: PeerRun, family: Family, installed: readonly Installed[]): Promise<void> {
  const { title, isMeasured, isOurs, isTheirs } = MEASURES[family]
  const isIn = (sample: Sample): boolean => sample.stage === 'request' && isMeasured(sample)
  const samples = run.samples.filter(isIn)
  const groups = new Set(samples.map(({ group }) => group))
  const ofGroups = (results: readonly Result[]): readonly Result[] => results.filter(({ group }) => groups.has(group))
  if (samples.length === 0) return
  const columns = [oursColumn('ours', ofGroups(run.results), isOurs)]
  // Only the models of injection have learned from rows.
  if (family === 'injection' && run.unseen.length > 0)
    columns.push(oursColumn('ours, unseen', ofGroups(run.unseen), isOurs))
  const texts = samples.map(({ text }) => text)
  for (const one of installed) {
    const judged = await askAll(one, texts, run.print)
    const outcomes = judged?.map(({ found, us }, index): Outcome => {
      const { group, isAttack, text } = samples[index] as Sample
      return { group, isAttack, isFlagged: isTheirs(found), bytes: Buffer.byteLength(text), us }
    })
    if (outcomes !== undefined) columns.push({ name: one.peer.name, outcomes })
  }
  run.print(`### ${title}\n`)
  run.print(peerTable(columns))
}

/** Ours on the labelled texts: all steps and the policy, as for every other row. */
async function scoreOurs(judge: Judge, rows: ReturnType<typeof readPiiRows>): Promise<SpanColumn> {
  const judged = []
  for (const { text } of rows)
    judged.push({ ...(await judge('request', asUser(text))), bytes: Buffer.byteLength(text) })
  const found = judged.map(({ findings }) => findings)
  return { name: 'ours', scores: scoreSpans(rows, found), usPerKb: usPerKb(judged) }
}

async function printSpans({ data, judge, print }: PeerRun, installed: readonly Installed[]): Promise<void> {
  const rows = readPiiRows(data)
  const texts = rows.map(({ text }) => text)
  const columns = [await scoreOurs(judge, rows)]
  for (const one of installed) {
    const judged = await askAll(one, texts, print)
    if (judged === undefined) continue
    const cost = usPerKb(judged.map(({ us }, index) => ({ us, bytes: Buffer.byteLength(texts[index] ?? '') })))
    for (const least of [0, SCORE_LEAST]) {
      const found = judged.map((judgement) => kindSpans(judgement.found, least))
      const name = least === 0 ? one.peer.name : `${one.peer.name} from score ${least}`
      columns.push({ name, scores: scoreSpans(rows, found), usPerKb: cost })
    }
  }
  print('### Personal data: labelled spans\n')
  print(spanTable(columns))
}

/** Prints the tables of all families that a peer is installed for. */
export async function printPeers(run: PeerRun): Promise<void> {
  const installed = await installAll(run)
  for (const family of Object.keys(MEASURES) as Family[]) {
    const ofFamily = installed.filter(({ peer }) => peer.family === family)
    if (ofFamily.length === 0) continue
    await printFamily(run, family, ofFamily)
    if (family === 'pii') await printSpans(run, ofFamily)
  }
}
