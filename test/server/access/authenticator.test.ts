/** The door notes when a key was last used: in the background, at most once a minute, and without effect on a call. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { findAgent, registerAgent, rotateKey } from '../../../server/access/agent-store.ts'
import { type Authenticator, createAuthenticator } from '../../../server/access/authenticator.ts'
import { openPglite } from '../../../server/adapters/pglite/pglite.ts'
import { createRandom, systemClock } from '../../../server/adapters/system.ts'
import { readConfig } from '../../../server/config/config.ts'
import type { Database, SessionDatabase } from '../../../server/core/ports.ts'
import { prepareSchema } from '../../../server/process/storage.ts'

const random = createRandom()
let real: SessionDatabase
let headers: Record<string, string>
before(async () => {
  real = await openPglite({ nowMs: Date.now })
  await prepareSchema(real, readConfig('gateway', {}), '0', systemClock)
  const registered = await registerAgent(real, random, { agent_id: 'one' })
  headers = { 'x-api-key': registered?.key ?? '' }
})
after(() => real.close())

/** What the door asks: looks, and notes of a use. `write` replaces how a note is written. */
let looks = 0
let notes: Promise<unknown>[] = []
let write: (note: () => Promise<readonly unknown[]>) => Promise<readonly unknown[]>
let reported: unknown[] = []
let nowMs = 0
let door: Authenticator

beforeEach(() => {
  looks = 0
  notes = []
  reported = []
  write = (note) => note()
  nowMs = 1_800_000_000_000
  const query = (sql: string, parameters?: readonly unknown[]): Promise<readonly unknown[]> => {
    if (!sql.startsWith('UPDATE')) {
      looks++
      return real.query(sql, parameters)
    }
    const note = write(() => real.query(sql, parameters))
    notes.push(note)
    return note
  }
  const database = { ...real, query: query as Database['query'] }
  door = createAuthenticator(database, [], { nowMs: () => nowMs, elapsedMs: () => nowMs }, (cause) =>
    reported.push(cause),
  )
})

const setUse = (use: string): Promise<unknown> => real.query(`UPDATE api_keys SET last_used_at = ${use}`)

async function agentId(): Promise<string | undefined> {
  const authentication = await door.authenticateAgent(headers)
  return authentication.status === 'authenticated' ? authentication.agent.id : undefined
}

async function isUseRecent(): Promise<boolean> {
  await Promise.all(notes)
  const [row] = await real.query<{ recent: boolean }>(
    `SELECT coalesce(max(last_used_at) > now() - interval '30 seconds', false) AS recent FROM api_keys`,
  )
  return row?.recent ?? false
}

const USES: readonly (readonly [before: string, isWritten: boolean])[] = [
  ['NULL', true],
  [`now() - interval '61 seconds'`, true],
  [`now() - interval '45 seconds'`, false],
]
for (const [use, isWritten] of USES) {
  test(`a use after ${use} ${isWritten ? 'is' : 'is not'} written`, async () => {
    await setUse(use)
    await door.authenticateAgent(headers)
    assert.equal(await isUseRecent(), isWritten)
    assert.equal(notes.length, Number(isWritten))
  })
}

test('a minute of calls looks once a second and writes once', async () => {
  await setUse('NULL')
  for (; nowMs < 1_800_000_060_000; nowMs += 250) {
    await door.authenticateAgent(headers)
    await setUse('NULL')
  }
  assert.deepEqual([looks, notes.length], [60, 1])
  await door.authenticateAgent(headers)
  assert.deepEqual([looks, notes.length], [61, 2])
})

test('nobody waits for it', async () => {
  await setUse('NULL')
  write = () => new Promise(() => {})
  assert.equal(await agentId(), 'one')
  assert.equal(notes.length, 1)
})

test('when it fails that is reported, the call goes on, and the next try is a minute later', async () => {
  await setUse('NULL')
  const failure = new Error('read only')
  write = () => Promise.reject(failure)
  for (const laterMs of [0, 2000, 57_000]) {
    nowMs += laterMs
    assert.equal(await agentId(), 'one')
  }
  await Promise.allSettled(notes)
  assert.deepEqual(reported, [failure])
  nowMs += 1000
  assert.equal(await agentId(), 'one')
  await Promise.allSettled(notes)
  assert.deepEqual(reported, [failure, failure])
})

test('a key that opens nothing is not in use', async () => {
  const agent = await findAgent(real, 'one')
  assert.ok(agent)
  const key = await rotateKey(real, random, agent)
  await setUse('NULL')
  assert.deepEqual(await door.authenticateAgent(headers), { status: 'key_revoked' })
  assert.deepEqual(await door.authenticateAgent({ 'x-api-key': `tp_${'n'.repeat(43)}` }), { status: 'key_invalid' })
  await real.query(`UPDATE api_keys SET expires_at = now() WHERE revoked_at IS NULL`)
  nowMs = Date.now() + 1000
  assert.deepEqual(await door.authenticateAgent({ 'x-api-key': key }), { status: 'key_expired' })
  assert.equal(notes.length, 0)
})

test('a database that fails is a value, with its cause', async () => {
  const failure = new Error('gone')
  const database = { ...real, query: (() => Promise.reject(failure)) as Database['query'] }
  const clock = { nowMs: () => nowMs, elapsedMs: () => nowMs }
  const blind = createAuthenticator(database, [], clock, () => {})
  assert.deepEqual(await blind.authorize(headers, 'AUDITOR'), { status: 'keys_unavailable', cause: failure })
})

const keyOf = (letter: string): Record<string, string> => ({ 'x-api-key': `tp_${letter.repeat(43)}` })

test('a key that nobody has is looked up once in ten seconds, and takes no place of a known one', async () => {
  for (let turn = 0; turn < 5; turn++) {
    assert.deepEqual(await door.authenticateAgent(keyOf('A')), { status: 'key_invalid' })
  }
  assert.equal(looks, 1)
  nowMs += 10_000
  await door.authenticateAgent(keyOf('A'))
  assert.equal(looks, 2)
})

test('many unknown keys at once are looked up a few at a time', async () => {
  let [open, most] = [0, 0]
  const query = async (sql: string, parameters?: readonly unknown[]): Promise<readonly unknown[]> => {
    most = Math.max(most, ++open)
    const rows = await real.query(sql, parameters)
    open -= 1
    return rows
  }
  const clock = { nowMs: () => nowMs, elapsedMs: () => nowMs }
  const crowded = createAuthenticator({ ...real, query: query as Database['query'] }, [], clock, () => {})
  const all = await Promise.all([...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].map((one) => crowded.authenticateAgent(keyOf(one))))
  assert.deepEqual(new Set(all.map(({ status }) => status)), new Set(['key_invalid']))
  assert.equal(most, 4)
})

for (const key of ['sk-proj-abc', 'sk-ant-api03-abc', 'gsk_abc', 'eyJhbGciOiJIUzI1NiJ9.e30.x']) {
  test(`a provider's key is told from a wrong one of ours: ${key}`, async () => {
    assert.deepEqual(await door.authenticateAgent({ authorization: `Bearer ${key}` }), { status: 'key_foreign' })
    assert.equal(looks, 0)
  })
}

test('each of two admin keys is the bootstrap admin while one is rotated; a third one is nobody', async () => {
  const [current, next, other] = ['a', 'b', 'c'].map((letter) => `tp_${letter.repeat(43)}`) as [string, string, string]
  const clock = { nowMs: () => nowMs, elapsedMs: () => nowMs }
  const both = createAuthenticator(real, [current, next], clock, () => {})
  const statusOf = async (key: string) => (await both.authorize({ authorization: `Bearer ${key}` }, 'PLATFORM')).status
  assert.deepEqual(
    [await statusOf(current), await statusOf(next), await statusOf(other)],
    ['authenticated', 'authenticated', 'key_invalid'],
  )
})
