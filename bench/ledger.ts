/**
 * How many entries a second the ledger takes, and how long one waits, in both modes and beside a bare INSERT of the same row,
 * over a PostgreSQL that flushes each commit. Needs the lab's PostgreSQL. `node bench/ledger.ts [--seconds 3] [--rounds 3]
 * [--clients 1,32,128]`
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { parsePostgresAddress } from '../contract/postgres-address.ts'
import { openPostgres } from '../server/adapters/postgres.ts'
import { createRandom, systemClock } from '../server/adapters/system.ts'
import type { Entry } from '../server/core/entry.ts'
import type { Database } from '../server/core/ports.ts'
import { insertEntries } from '../server/ledger/entry-insert.ts'
import { createLedger } from '../server/ledger/ledger.ts'
import { seal } from '../server/ledger/seal.ts'
import { prepareSchema } from '../server/process/storage.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '1,32,128' },
  },
})
const random = createRandom()
let count = 0

function entryOf(): Entry {
  count += 1
  return {
    auditId: `ae_bench_${process.pid}_${count}`,
    tsMs: Date.now(),
    eventKind: 'chat',
    eventType: 'govern_allow',
    severity: 'info',
    decision: 'allow',
    stepName: null,
    orgId: '00000000-0000-4000-8000-000000000001',
    agentId: 'bench',
    sessionId: 'ses_bench',
    requestId: `req_${count}`,
    model: 'gpt-bench',
    classification: 'PUBLIC',
    policy: 'f'.repeat(64),
    decisionId: `dec_${count}`,
    details: {
      bytes: 1024,
      commitment: 'c'.repeat(64),
      steps: { detect_pii: 120, detect_secrets: 90 },
      stage: 'request',
    },
    salt: Buffer.from(random.bytes(32)).toString('hex'),
  }
}

type Append = (entry: Entry) => Promise<unknown>
type Figures = Readonly<{ perSecond: number; p50Ms: number; p99Ms: number }>

async function load(append: Append, clients: number, seconds: number): Promise<Figures> {
  const waits: number[] = []
  const endMs = performance.now() + seconds * 1000
  const client = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const startMs = performance.now()
      await append(entryOf())
      waits.push(performance.now() - startMs)
      // A call does something else, too.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  const sorted = waits.toSorted((one, other) => one - other)
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN
  return { perSecond: sorted.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}

/** What one row costs without a ledger: a chain of its own for each, and a statement for each. */
function bareInsert(database: Database): Append {
  return (entry) => insertEntries(database, [seal(entry, `bare-${entry.auditId}`, 1, null)])
}

const child = spawn(process.execPath, [join(import.meta.dirname, '../test/server/postgres-process.ts')], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
const [address] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
const database = openPostgres({
  kind: 'local',
  address: parsePostgresAddress(address),
  applicationName: 'bench',
  onConnectionLost: () => {},
})
await prepareSchema(
  database,
  {
    environment: 'development',
    database: {
      kind: 'postgres',
      authority: undefined,
      address: parsePostgresAddress(address),
      password: undefined,
      nextPassword: undefined,
      hasOwner: false,
      runtimeRole: undefined,
    },
  },
  '0',
  systemClock,
)
const options = { database, clock: systemClock, random }
const durable = createLedger({ ...options, instance: 'durable' })
const grouped = createLedger({ ...options, instance: 'grouped', mode: 'grouped' })
const APPENDS: readonly (readonly [name: string, append: Append])[] = [
  ['bare INSERT', bareInsert(database)],
  ['durable', durable.append],
  ['grouped', grouped.append],
]
const results = new Map<string, Figures[]>()
for (let round = 0; round < Number(values.rounds); round++) {
  for (const clients of values.clients.split(',').map(Number)) {
    for (const [name, append] of APPENDS) {
      const row = `${clients} | ${name}`
      results.set(row, [...(results.get(row) ?? []), await load(append, clients, Number(values.seconds))])
    }
  }
}
const median = (numbers: readonly number[]): number =>
  numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? Number.NaN
process.stdout.write('| clients | how | entries/s | p50 ms | p99 ms |\n|--:|---|--:|--:|--:|\n')
for (const [row, figures] of results) {
  const of = (member: keyof Figures, digits: number): string =>
    median(figures.map((each) => each[member])).toFixed(digits)
  process.stdout.write(`| ${row} | ${of('perSecond', 0)} | ${of('p50Ms', 2)} | ${of('p99Ms', 2)} |\n`)
}
await durable.close()
await grouped.close()
await database.close()
child.kill('SIGTERM')
