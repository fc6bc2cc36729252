/**
 * Replays the requests against gateways that run as processes, over HTTP alone. Nothing of the product is imported: what it
 * must be is a program that takes settings, tells its address, and keeps the table `api_keys` in its data folder. When files
 * move, the constants below are all that has to be changed.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { comparable, type LedgerEntry, type Recorded } from './comparable.ts'
import { exchange, NOTHING, type Reply } from './exchange.ts'
import { answerOf, type ModelStandIn, makeReading, type Sent, startModelStandIn } from './model-stand-in.ts'
import { placeOf } from './requests.ts'
import type { Group, Row } from './row.ts'

/** The gateway's program. */
const PROGRAM = join(import.meta.dirname, '../../server/main.ts')
/** Where in its data folder the gateway keeps its database. */
const DATABASE = 'database'
/** The route that the ledger is read by, its newest entries first. */
const LEDGER = '/audit?limit=5000'

/** Time for one request, and for a start; far more than either takes. */
const DEADLINE_MS = 100_000

const ADMIN_KEY = ['tp', 'only-for-the-record-0123456789'].join('_')

/** Keys that are given between two phases: people by their role, and a key that has expired. */
const PEOPLE: readonly (readonly [name: string, role: string])[] = [
  ['employee', 'EMPLOYEE'],
  ['auditor', 'AUDITOR'],
  ['developer-role', 'DEVELOPER'],
  ['admin-role', 'ADMIN'],
  ['platform', 'PLATFORM'],
]
const keyOf = (name: string): string => `tp_pat_${name.padEnd(40, '0')}`

type World = Readonly<{
  group: Group
  models: ModelStandIn | undefined
  folder: string
  kept: Map<string, string>
  seen: (readonly [row: Row, reply: Reply, sent: readonly Sent[]])[]
}>

/** A gateway that runs. */
type Running = Readonly<{ url: string; child: ChildProcess }>

/** Replays a group, gives the records by their places. */
export async function replay(group: Group): Promise<ReadonlyMap<string, Recorded>> {
  const models = group.hasModelServer ? await startModelStandIn() : undefined
  const folder = mkdtempSync(join(tmpdir(), 'tappass-record-'))
  const kept = new Map([['admin.key', ADMIN_KEY]])
  for (const name of [...PEOPLE.map(([name]) => name), 'expired']) kept.set(`${name}.key`, keyOf(name))
  if (models) kept.set('model server', models.host)
  const world: World = { group, models, folder, kept, seen: [] }
  try {
    let ledger: readonly LedgerEntry[] = []
    for (const [index, rows] of group.phases.entries()) {
      if (index > 0) await giveKeys(folder)
      ledger = await replayPhase(world, rows, index === group.phases.length - 1)
    }
    return recordsOf(world, ledger)
  } finally {
    await models?.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Gives what comes of work that is done in time, and throws when it is not. */
async function inTime<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${DEADLINE_MS} ms`)), DEADLINE_MS)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** Starts the gateway, asks, reads the ledger, stops; a gateway that nobody starts again need not put anything away. */
async function replayPhase(world: World, rows: readonly Row[], isLast: boolean): Promise<readonly LedgerEntry[]> {
  const running = await start(world)
  try {
    for (const row of rows) await ask(world, running, row)
    return (await readLedger(running)).toReversed()
  } finally {
    const exit = running.child.exitCode === null && once(running.child, 'exit')
    running.child.kill(isLast ? 'SIGKILL' : 'SIGTERM')
    await exit
  }
}

async function start({ group, models, folder }: World): Promise<Running> {
  const child = fork(PROGRAM, {
    env: {
      TAPPASS_HOST: '127.0.0.1',
      TAPPASS_PORT: '0',
      TAPPASS_ADMIN_API_KEY: ADMIN_KEY,
      TAPPASS_LOG_LEVEL: 'silent',
      ...(models ? { TAPPASS_UPSTREAM_URL: `http://${models.host}/v1` } : {}),
      ...(group.isKept ? { TAPPASS_DATA_DIR: folder } : {}),
      ...group.environment,
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
    },
    execArgv: [],
  })
  const told = Promise.race([once(child, 'message'), once(child, 'exit')])
  const [message] = (await inTime(told, `the start of '${group.name}'`)) as [
    Readonly<{ url?: string; message?: string }>,
  ]
  if (message?.url !== undefined) return { url: message.url, child }
  child.kill('SIGKILL')
  throw new Error(`the gateway '${group.name}' did not start: ${message?.message ?? 'its process ended'}`)
}

/** Asks, and keeps what the row says. */
async function ask(world: World, { url, child }: Running, row: Row): Promise<void> {
  const { models, kept, seen } = world
  const reading = makeReading()
  const before = models?.sent.length ?? 0
  models?.expect(row.goneAfter === '' ? undefined : answerOf(row.answer), reading)
  const untilMs = Date.now() + DEADLINE_MS
  const isAsked = async (): Promise<void> => {
    while (models?.sent.length === before && Date.now() < untilMs) await sleep(5)
  }
  const filled = fill(row, kept)
  const reply = await inTime(exchange(url, filled, reading, isAsked), `'${row.what}'`).catch((cause: unknown) => {
    throw new Error(`'${row.what}' got no answer`, { cause })
  })
  if (row.goneAfter !== undefined) await untilRecorded({ url, child }, row, untilMs)
  seen.push([row, reply, models?.sent.slice(before) ?? []])
  const members = row.keep ? (JSON.parse(reply.text) as Record<string, string>) : {}
  for (const [name, member] of Object.entries(row.keep ?? {})) {
    const value = members[member] ?? ''
    if (value === '') throw new Error(`'${row.what}' was not answered with ${member}: ${reply.text}`)
    kept.set(name, value)
    // The pipeline's id is the first half of the policy's hash.
    if (/^[0-9a-f]{64}$/.test(value)) kept.set(`${name}, first half`, value.slice(0, 32))
  }
}

/** The row with its key in a header, and what was kept in place of its names. */
function fill({ key = 'tester', ...row }: Row, kept: World['kept']): Row {
  const authorization = key === null || row.raw !== undefined ? {} : { authorization: `Bearer {{${key}.key}}` }
  const text = JSON.stringify({ ...row, answer: undefined, headers: { ...authorization, ...row.headers } })
  return JSON.parse(text.replace(/\{\{([\w.-]+)\}\}/g, (_, name: string) => kept.get(name) ?? `no ${name}`)) as Row
}

/** What a client that went away leaves in the ledger comes when it comes. */
async function untilRecorded(running: Running, { headers }: Row, untilMs: number): Promise<void> {
  const isThere = ({ event_type, request_id }: LedgerEntry): boolean =>
    event_type === 'client_gone' && request_id === headers?.['x-request-id']
  while (!(await readLedger(running)).some(isThere) && Date.now() < untilMs) await sleep(20)
}

async function readLedger({ url }: Running): Promise<readonly LedgerEntry[]> {
  const response = await fetch(url + LEDGER, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })
  if (response.status !== 200) throw new Error(`the ledger can't be read: ${await response.text()}`)
  return ((await response.json()) as { data: readonly LedgerEntry[] }).data
}

/** Gives people their keys, for which there is no route. */
async function giveKeys(folder: string): Promise<void> {
  const database = await PGlite.create({ fs: new NodeFS(join(folder, DATABASE)) })
  const insert = `INSERT INTO api_keys (kind, key_hash, key_prefix, org_id, role, agent_id, developer_email, expires_at)
    SELECT $1, $2, $3, org_id, $4, CASE WHEN $1 = 'pat' THEN NULL ELSE id END, $5, $6::timestamptz
    FROM agents WHERE agent_id = 'other'`
  const give = (kind: string, name: string, role: string, email: string | null, expires: string | null) => {
    const key = keyOf(name)
    const hash = createHash('sha256').update(key).digest('hex')
    return database.query(insert, [kind, hash, key.slice(0, 10), role, email, expires])
  }
  for (const [name, role] of PEOPLE) await give('pat', name, role, null, null)
  await give('developer', 'expired', 'AGENT', 'late@example.com', '2020-01-01T00:00:00Z')
  await database.close()
}

/** Puts each entry to the request that caused it; entries of no request stand at the end. */
function recordsOf({ group, seen, kept }: World, ledger: readonly LedgerEntry[]): ReadonlyMap<string, Recorded> {
  const byRequest = Map.groupBy(ledger, ({ request_id }) => request_id)
  const records = new Map<string, Recorded>()
  for (const [{ what, headers }, reply, sent] of seen) {
    const headerOf = (wanted: string) => reply.headers.find(([name]) => name.toLowerCase() === wanted)?.[1]
    const given = headerOf('x-tappass-request-id') ?? headerOf('x-request-id')
    const id = given ?? headers?.['x-request-id']
    records.set(placeOf(group.name, what), comparable(reply, sent, byRequest.get(id) ?? [], kept))
    byRequest.delete(id)
  }
  records.set(
    placeOf(group.name, '(entries of no request)'),
    comparable(NOTHING, [], [...byRequest.values()].flat(), kept),
  )
  return records
}
