/**
 * The clock of the machine is set while a gateway serves: forward and back by NTP, a day ahead after a machine was resumed, and what daylight saving would be if anything counted by it.
 * Calls are answered, limits hold and free themselves, a revoked key is refused in time, and the ledger keeps its order.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { KEY_CACHE_TTL_MS } from '../../server/access/key-cache.ts'
import type { Clock } from '../../server/core/ports.ts'
import { verifyLedger } from '../../server/ledger/verification.ts'
import { chat, type RunningGateway, startGateway } from './running-gateway.ts'

const HOUR_MS = 3_600_000
const CALLS_MAX = 20

/** What the wall's clock was set by, and how far both have gone on. */
let [setMs, goneMs] = [0, 0]
const startMs = Date.now()
const clock: Clock = { nowMs: () => startMs + setMs + goneMs, elapsedMs: () => 1000 + goneMs }

let gateway: RunningGateway
before(async () => {
  const settings = { TAPPASS_RATE_CALLS: `${CALLS_MAX}`, TAPPASS_RATE_WINDOW_SECONDS: '60' }
  gateway = await startGateway(settings, [], undefined, clock)
})
after(() => gateway.close())

const call = async (key: string): Promise<Response> =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(chat('good day')),
  })
const agent = async (id: string): Promise<string> => {
  const made = await gateway.admin('/agents', { method: 'POST', body: JSON.stringify({ agent_id: id }) })
  return ((await made.json()) as { api_key: string }).api_key
}

/** How many calls pass in a row at this moment, up to one more than a window has. */
const burst = async (key: string): Promise<number> => {
  for (let passed = 0; passed <= CALLS_MAX; passed += 1) if ((await call(key)).status !== 200) return passed
  return CALLS_MAX + 1
}

const steps: readonly (readonly [name: string, byMs: number])[] = [
  ['forward by two seconds', 2000],
  ['back by two seconds', -2000],
  ['forward by an hour', HOUR_MS],
  ['back by an hour', -HOUR_MS],
  ['a day ahead, as after a machine was resumed', 24 * HOUR_MS],
  ['back by a day', -24 * HOUR_MS],
]
for (const [index, [name, byMs]] of steps.entries())
  test(`the clock is set ${name}: a window later all is as before, and no window is longer`, async () => {
    const key = await agent(`limited-${index}`)
    assert.equal(await burst(key), CALLS_MAX)
    setMs += byMs
    // Whoever had used up a window has no more than another one.
    const passed = await burst(key)
    assert.ok(byMs > 0 ? passed <= CALLS_MAX : passed === 0, `${passed}`)
    goneMs += 60_000
    assert.equal(await burst(key), CALLS_MAX)
  })

test('a key that another process has revoked is refused in time, however far the clock was set back', async () => {
  const key = await agent('revoked')
  assert.equal((await call(key)).status, 200)
  await gateway.database.query(
    'UPDATE api_keys SET revoked_at = now() WHERE agent_id = (SELECT id FROM agents WHERE agent_id = $1)',
    ['revoked'],
  )
  setMs -= 5 * HOUR_MS
  goneMs += KEY_CACHE_TTL_MS
  assert.equal((await call(key)).status, 401)
  setMs += 5 * HOUR_MS
})

test('a key that expires does so by the wall’s clock, and no step forward spares it', async () => {
  const key = await agent('expiring')
  await gateway.database.query(
    'UPDATE api_keys SET expires_at = $1 WHERE agent_id = (SELECT id FROM agents WHERE agent_id = $2)',
    [new Date(clock.nowMs() + HOUR_MS).toISOString(), 'expiring'],
  )
  assert.equal((await call(key)).status, 200)
  setMs += 2 * HOUR_MS
  assert.equal((await call(key)).status, 401)
  setMs -= 2 * HOUR_MS
})

test('the ledger keeps its order by number and chain, whatever its times are, and verifies', async () => {
  const rows = await gateway.database.query<{ seq: number; at: string }>(
    `SELECT seq::float8 AS seq, extract(epoch FROM ts)::float8 AS at FROM audit_events ORDER BY chain, seq`,
  )
  const times = rows.map(({ at }) => Number(at))
  assert.ok(
    times.some((at, index) => at < (times[index - 1] ?? 0)),
    'time has gone back in it',
  )
  const integrity = await verifyLedger(gateway.database)
  assert.equal(integrity.status, 'intact')
  const ready = await fetch(`${gateway.url}/health/ready`)
  assert.equal(ready.status, 200)
})

test('daylight saving: every timer says UTC, or no hour', () => {
  const root = join(import.meta.dirname, '../..')
  const lines = globSync(['units/*.timer*', 'scripts/roles/*.ts', 'scripts/spec/host-spec.ts'], { cwd: root }).flatMap(
    (path) =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/OnCalendar=([^{\n]+)$|'(\*-\*-\* [^']+)'/gm)].map(
        ([, unit, code]) => unit ?? code ?? '',
      ),
  )
  assert.ok(lines.length >= 4, `${lines}`)
  for (const line of lines) assert.match(line, / UTC$|^hourly$/)
})
