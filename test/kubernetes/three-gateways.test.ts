/**
 * Three gateways on one PostgreSQL and one Redis are one: the limit of calls is exact over all of them, a revoked agent is refused by each within a second, one that is
 * killed or drained loses no call that was answered, and their chains are tied together. All by `TAPPASS_TEST_ROUNDS=100`: 100,000 calls. Needs: postgres, redis.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { roundsHere, shareOf } from '../rounds.ts'
import { completion, json } from '../server/model-server.ts'
import { ROOT } from './manifest.ts'
import { type Cluster, endReplica, type Replica, startCluster } from './replica.ts'

/** How many are tried: a share has to do with far fewer, and with more than are allowed. */
const CALLS = Math.max(500, roundsHere(shareOf(1000) === 1000 ? 100_000 : shareOf(12_000)))
/** Of an agent in a day: one more is allowed after 24 minutes, which no share lasts. */
const ALLOWED = 60
const CLIENTS = 32
/** Agents whose calls go on while a gateway ends. */
const AGENTS = 8
/** For how long a revoked key may be good elsewhere. */
const REVOKED_MS = 1000

let cluster: Cluster
let replicas: [Replica, Replica, Replica]

before(async () => {
  cluster = await startCluster({ TAPPASS_RATE_CALLS: String(ALLOWED), TAPPASS_RATE_WINDOW_SECONDS: '86400' })
  cluster.models.answer(json(completion('hello')))
  const names = ['tappass-6c9f-aaaaa', 'tappass-6c9f-bbbbb', 'tappass-6c9f-ccccc']
  replicas = (await Promise.all(names.map((name) => cluster.startReplica(name)))) as typeof replicas
})
after(() => cluster.close())

type Answer = Readonly<{ status: number; id: string; text: string }>

function ask(
  replica: Replica,
  method: string,
  path: string,
  key: string,
  body?: object,
  agent?: Agent,
): Promise<Answer> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const asked = request(replica.url + path, { method, headers, agent: agent ?? false }, async (response) => {
      let text = ''
      for await (const part of response) text += part
      resolve({ status: response.statusCode ?? 0, id: String(response.headers['x-request-id']), text })
    })
    asked.once('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }
const call = (replica: Replica, key: string, agent?: Agent): Promise<Answer> =>
  ask(replica, 'POST', '/v1/chat/completions', key, CHAT, agent)

async function makeAgent(name: string): Promise<string> {
  const { status, text } = await ask(replicas[0], 'POST', '/agents', cluster.adminKey, { agent_id: name })
  assert.equal(status, 201, text)
  return (JSON.parse(text) as { api_key: string }).api_key
}

/** Runs `work` again and again on some clients at once, until `isOver`. */
async function load(isOver: () => boolean, work: () => Promise<void>): Promise<void> {
  const client = async (): Promise<void> => {
    while (!isOver()) await work()
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
}

const sql = (text: string): Promise<string> => cluster.postgres.superuser(text, 'tappass')

/** The ids of calls that the ledger has both judgements of. */
async function recorded(agents: string): Promise<ReadonlySet<string>> {
  const rows = await sql(
    `SELECT request_id FROM audit_events WHERE agent_id LIKE '${agents}' AND event_type LIKE 'govern_%' GROUP BY 1 HAVING count(*) = 2`,
  )
  return new Set(rows.split('\n'))
}

test('so many calls as are allowed pass, over all of them together', async () => {
  const key = await makeAgent('counted')
  const agents = replicas.map(() => new Agent({ keepAlive: true }))
  const statuses = new Map<number, number>()
  const passed = [0, 0, 0]
  let begun = 0
  await load(
    () => begun >= CALLS,
    async () => {
      const at = begun++ % 3
      const { status } = await call(replicas[at] as Replica, key, agents[at])
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === 200) passed[at] = (passed[at] ?? 0) + 1
    },
  )
  for (const agent of agents) agent.destroy()
  assert.equal(statuses.get(200), ALLOWED)
  assert.deepEqual([...statuses.keys()].toSorted(), [200, 429])
  assert.equal(statuses.get(429), begun - ALLOWED)
  assert.ok(
    passed.every((count) => count > 0),
    'one of them was never asked',
  )
  assert.equal((await recorded('counted')).size, ALLOWED)
})

test('a revoked agent is refused by each within a second', async () => {
  const key = await makeAgent('leaver')
  for (const replica of replicas) assert.equal((await call(replica, key)).status, 200)
  assert.equal((await ask(replicas[1], 'DELETE', '/agents/leaver', cluster.adminKey)).status, 204)
  assert.equal((await call(replicas[1], key)).status, 401, 'at once where it was revoked')
  await sleep(REVOKED_MS)
  for (const replica of replicas) assert.equal((await call(replica, key)).status, 401, replica.name)
})

test('one that is killed under load loses nothing that was answered, and another one takes its place', async () => {
  const keys = await Promise.all(Array.from({ length: AGENTS }, (_, at) => makeAgent(`killed-${at}`)))
  const victim = replicas[1]
  const wanted = 40 * AGENTS
  const answered: string[] = []
  const refused: number[] = []
  let dead: Promise<unknown> | undefined
  let broken = 0
  let turn = 0
  await load(
    () => answered.length >= wanted,
    async () => {
      // The Service has it among its addresses until it is known to be gone.
      const replica = replicas[turn++ % 3] as Replica
      const answer = await call(replica, keys[turn % AGENTS] as string).catch(() => undefined)
      if (answer === undefined) {
        assert.equal(replica, victim)
        broken += 1
      } else if (answer.status === 200) answered.push(answer.id)
      else refused.push(answer.status)
      if (answered.length >= wanted / 2) dead ??= endReplica(victim, 'SIGKILL')
    },
  )
  assert.deepEqual(await dead, [null, 'SIGKILL'])
  assert.deepEqual(refused, [])
  assert.ok(broken > 0, 'it was killed while nobody asked it')
  const known = await recorded('killed-%')
  assert.deepEqual(
    answered.filter((id) => !known.has(id)),
    [],
  )
  replicas[1] = await cluster.startReplica('tappass-6c9f-ddddd')
  assert.equal((await call(replicas[1], keys[0] as string)).status, 200)
})

test('one that is drained answers what it has in hand, while the others go on', async () => {
  const keys = await Promise.all(Array.from({ length: AGENTS }, (_, at) => makeAgent(`drained-${at}`)))
  const [one, other, leaving] = replicas
  const { models } = cluster
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const isHeld = (body: string): boolean => body.includes('"hold"')
  models.answer(async (response, received) => {
    if (isHeld(received.body)) await held
    return json(completion('hello'))(response, received)
  })
  const hold = { ...CHAT, user: 'hold' }
  const inHand = keys.map((key) => ask(leaving, 'POST', '/v1/chat/completions', key, hold))
  while (models.received.filter(({ body }) => isHeld(body)).length < keys.length) await sleep(5)
  const ended = endReplica(leaving, 'SIGTERM')
  const answered: string[] = []
  let turn = 0
  await load(
    () => answered.length >= 20 * AGENTS,
    async () => {
      const replica = [one, other][turn++ % 2] as Replica
      const { status, id, text } = await call(replica, keys[turn % AGENTS] as string)
      assert.equal(status, 200, text)
      answered.push(id)
    },
  )
  release()
  for (const { status, id, text } of await Promise.all(inHand)) {
    assert.equal(status, 200, text)
    answered.push(id)
  }
  assert.deepEqual(await ended, [0, null])
  const known = await recorded('drained-%')
  assert.deepEqual(
    answered.filter((id) => !known.has(id)),
    [],
  )
})

function verify(): string {
  const key = join(cluster.folder, 'checkpoint.pem')
  const secret = createPrivateKey(readFileSync(join(cluster.secrets, 'tappass-checkpoint-key')))
  writeFileSync(key, createPublicKey(secret).export({ type: 'spki', format: 'pem' }))
  const folders = readdirSync(cluster.folder).filter((name) => name.startsWith('tappass-'))
  const files = folders.flatMap((name) => readdirSync(join(cluster.folder, name)).map((file) => join(name, file)))
  const notes = files.filter((file) => file.endsWith('.checkpoint'))
  const since = notes.flatMap((file) => ['--since', join(cluster.folder, file)])
  const words = [join(ROOT, 'server/audit.ts'), 'verify', '--key', key, ...since, '--json']
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { env: cluster.environment, encoding: 'utf8' })
  const integrity = JSON.parse(stdout || '{}') as { status?: string; reason?: string; chains?: number }
  return `${status} ${integrity.status} ${integrity.chains ?? ''}${integrity.reason ?? ''}${stderr}`
}

test('each has a chain of its own, each later one names those before, and none can be dropped unseen', async () => {
  const chains = (await sql('SELECT DISTINCT chain FROM audit_events ORDER BY 1')).split('\n')
  assert.deepEqual(
    chains.map((chain) => chain.replace(/-[0-9A-HJKMNP-TV-Z]{26}$/, '')),
    ['aaaaa', 'bbbbb', 'ccccc', 'ddddd'].map((end) => `tappass-6c9f-${end}`),
  )
  const last = await sql(
    `SELECT entry::json->'details'->'heads' FROM audit_events WHERE event_type = 'chain_opened' AND chain LIKE '%-ddddd-%'`,
  )
  const heads = (JSON.parse(last) as readonly Readonly<{ chain: string }>[]).map(({ chain }) => chain)
  assert.deepEqual(heads.toSorted(), chains.slice(0, 3))
  for (const replica of [replicas[0], replicas[1]]) assert.deepEqual(await endReplica(replica, 'SIGTERM'), [0, null])
  assert.equal(verify(), '0 intact 4')
  const [, killed] = chains
  await sql(`ALTER TABLE audit_events DISABLE TRIGGER ALL; DELETE FROM audit_events WHERE chain = '${killed}'`)
  assert.match(verify(), /^1 broken /)
})
