/** The ledger of a running gateway: its checkpoints, what it finds at its start, its salts, and the refusals before a judgement. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openPglite } from '../../../server/adapters/pglite/pglite.ts'
import { readCheckpoint } from '../../../server/checkpoint/checkpoint.ts'
import { sha256 } from '../../../server/core/hash.ts'
import type { SessionDatabase } from '../../../server/core/ports.ts'
import { createSigningKey } from '../ledger/signing-fixture.ts'
import { chat, type RunningGateway, startGateway } from '../running-gateway.ts'

const folder = mkdtempSync(join(tmpdir(), 'tappass-audit-routes-'))
const { signer, privatePem } = createSigningKey()
const environment = { TAPPASS_CHECKPOINT_KEY: privatePem, TAPPASS_CHECKPOINT_DIR: join(folder, 'checkpoints') }

let database: SessionDatabase
before(async () => {
  database = await openPglite({ nowMs: Date.now })
})
after(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

/** Starts a gateway on the database that all tests of this file share, and stops it. */
async function withGateway<Value>(work: (gateway: RunningGateway) => Promise<Value>): Promise<Value> {
  const gateway = await startGateway(environment, [], database)
  try {
    return await work(gateway)
  } finally {
    await gateway.close()
  }
}

const json = async (response: Response): Promise<Readonly<Record<string, unknown>>> =>
  (await response.json()) as Readonly<Record<string, unknown>>

/** Waits until something is so; a checkpoint takes a second. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200 && !(await isSo()); tries++) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.ok(await isSo())
}

describe('checkpoints', () => {
  test('what is written is signed: in the database, in a file, and by the end of the process all of it', async () => {
    const head = await withGateway(async (gateway) => {
      await gateway.post('/chat/completions', chat('hello'))
      const { data = [] } = (await json(await gateway.admin('/audit/checkpoints'))) as { data?: { size: number }[] }
      const sizeBefore = data[0]?.size ?? 0
      await until(async () => {
        const now = (await json(await gateway.admin('/audit/checkpoints'))) as { data: { size: number }[] }
        return (now.data[0]?.size ?? 0) > sizeBefore || sizeBefore >= 4
      })
      const metrics = await (await gateway.admin('/metrics')).text()
      assert.match(metrics, /tappass_ledger_alarm\{gateway="1",kind="history"\} 0/)
      return (await gateway.audit('limit=1'))[0]
    })
    assert.equal(head?.event_type, 'govern_allow')
    const [name = ''] = readdirSync(join(folder, 'checkpoints')).filter((file) => file.endsWith('.checkpoint'))
    const checkpoint = readCheckpoint(readFileSync(join(folder, 'checkpoints', name), 'utf8'), signer.publicKey)
    const [last] = await database.query<{ seq: number; hash: string; event_type: string }>(
      'SELECT seq::float8 AS seq, hash, event_type FROM audit_events ORDER BY chain DESC, seq DESC LIMIT 1',
    )
    assert.deepEqual([last?.event_type, last?.seq, last?.hash], ['chain_closed', checkpoint?.size, checkpoint?.head])
    assert.match(checkpoint?.clock ?? '', /, database [+-]\d+\.\d ms, set [+-]\d+\.\d ms$/)
  })

  test('the next process finds all that was signed, and says that the ledger is intact', async () => {
    await withGateway(async (gateway) => {
      const integrity = await json(await gateway.admin('/audit/integrity'))
      assert.deepEqual([integrity['status'], integrity['chains']], ['intact', 2])
      const signed = integrity['signed'] as number
      assert.ok(signed > 4, String(signed))
      assert.deepEqual(await gateway.audit('event_type=history_lost'), [])
    })
  })

  test('when what was signed is gone, a process says so at its start, and goes on', async () => {
    await database.script('ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only')
    await database.query('DELETE FROM audit_checkpoints')
    await database.query(`DELETE FROM audit_events WHERE event_type = 'chain_closed'`)
    await withGateway(async (gateway) => {
      const [alarm] = await gateway.audit('event_type=history_lost')
      assert.equal(alarm?.details['count'], 2)
      assert.match(
        await (await gateway.admin('/metrics')).text(),
        /tappass_ledger_alarm\{gateway="1",kind="history"\} 1/,
      )
      assert.equal((await json(await gateway.admin('/audit/integrity')))['status'], 'broken')
      assert.equal((await gateway.post('/chat/completions', chat('hello'))).status, 200)
    })
  })

  test('a running process notices that its own last entry is gone', async () => {
    rmSync(join(folder, 'checkpoints'), { recursive: true })
    await withGateway(async (gateway) => {
      assert.match(
        await (await gateway.admin('/metrics')).text(),
        /tappass_ledger_alarm\{gateway="1",kind="history"\} 0/,
      )
      await database.query('DELETE FROM audit_events WHERE chain = (SELECT max(chain) FROM audit_events)')
      await until(async () =>
        (await (await gateway.admin('/metrics')).text()).includes('alarm{gateway="1",kind="history"} 1'),
      )
    })
  })
})

describe('salts', () => {
  const salt = (gateway: RunningGateway, id: string, method = 'GET'): Promise<Response> =>
    gateway.admin(`/audit/${id}/salt`, { method })

  test('a salt proves the content of its entry, and is erased for good; nothing else changes', async () => {
    await withGateway(async (gateway) => {
      const body = JSON.stringify(chat('to be proven'))
      await gateway.post('/chat/completions', body)
      const entries = (await gateway.audit('event_type=govern_allow&limit=2')) as unknown as {
        audit_id: string
        details: Record<string, unknown>
      }[]
      const entry = entries.find(({ details }) => details['stage'] === 'request')
      const id = entry?.audit_id ?? ''
      const given = await json(await salt(gateway, id))
      assert.equal(sha256(String(given['salt']) + body), entry?.details['commitment'])
      assert.equal((await salt(gateway, id, 'DELETE')).status, 204)
      for (const method of ['GET', 'DELETE']) assert.equal((await salt(gateway, id, method)).status, 404, method)
      const [erased] = await gateway.audit('event_type=salt.erased')
      assert.deepEqual([erased?.details['audit_id'], erased?.details['by']], [id, 'admin'])
      const [row] = await database.query('SELECT 1 FROM audit_events WHERE audit_id = $1', [id])
      assert.ok(row)
    })
  })

  test('an entry without commitments has none, and neither has one that is not there', async () => {
    await withGateway(async (gateway) => {
      const [opened] = (await gateway.audit('event_kind=chain&limit=1')) as unknown as { audit_id: string }[]
      for (const id of [opened?.audit_id ?? '', 'ae_none']) assert.equal((await salt(gateway, id)).status, 404)
    })
  })
})

describe('refusals before the judgement', () => {
  const REFUSED: readonly (readonly [
    what: string,
    code: string,
    send: (gateway: RunningGateway) => Promise<Response>,
  ])[] = [
    ['no JSON', 'request.malformed', (gateway) => gateway.post('/chat/completions', '{')],
    ['a list', 'request.malformed', (gateway) => gateway.post('/chat/completions', '[]')],
    [
      'a flag that nobody knows',
      'flags.unknown',
      (gateway) => gateway.post('/chat/completions', chat('x'), { 'x-tappass-flags': 'a=b' }),
    ],
    [
      'a session that is none',
      'session.malformed',
      (gateway) => gateway.post('/embeddings', {}, { 'x-tappass-session': 'a b' }),
    ],
    ['too large', 'request.too_large', (gateway) => gateway.post('/completions', 'x'.repeat(6 * 1024 * 1024))],
    [
      'no JSON by its type',
      'request.not_json',
      (gateway) => gateway.post('/chat/completions', 'x', { 'content-type': 'text/plain' }),
    ],
  ]
  for (const [what, code, send] of REFUSED) {
    test(`${what} (${code}) has an entry`, async () => {
      await withGateway(async (gateway) => {
        const response = await send(gateway)
        assert.equal(((await response.json()) as { error: { code: string } }).error.code, code)
        const [entry, ...others] = await gateway.audit(`request_id=${response.headers.get('x-request-id')}`)
        assert.deepEqual(
          [entry?.event_type, entry?.decision, entry?.details['code'], others.length],
          ['request_refused', 'block', code, 0],
        )
      })
    })
  }

  test('who has no key can not fill the ledger', async () => {
    await withGateway(async (gateway) => {
      const before = (await gateway.audit('limit=5000')).length
      await gateway.post('/chat/completions', '{', { authorization: 'Bearer no' })
      assert.equal((await gateway.audit('limit=5000')).length, before)
    })
  })
})
