/** The rule in docs/how-to/write-a-policy.md that an agent may not send what nobody can read, from its text to a 403. Needs: opa. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { cachePath } from '../../lab/setting.ts'
import { chat, type RunningGateway } from '../running-gateway.ts'
import { base64, noise } from '../steps/opaque-fixture.ts'
import { cloneGateway } from './clone.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/how-to/write-a-policy.md'), 'utf8')
const clone = cloneGateway()
let gateway: RunningGateway
let headers: Readonly<Record<string, string>>
before(async () => {
  const rule = /```rego title="(server\/policy\/unread\.rego)"\n(.*?)```/s.exec(page)
  writeFileSync(join(clone.folder, rule?.[1] ?? ''), rule?.[2] ?? '')
  clone.run('server/policy/build.ts', '--opa', cachePath('go', 'opa'))
  gateway = await clone.start()
  const made = await gateway.admin('/agents', { method: 'POST', body: JSON.stringify({ agent_id: 'ci-bot' }) })
  headers = { authorization: `Bearer ${((await made.json()) as { api_key: string }).api_key}` }
})
after(async () => {
  await gateway?.close()
  clone.remove()
})

const DATA = base64(noise(900))

test('the agent of the rule is refused, and the entry says by which finding', async () => {
  const response = await gateway.post('/v1/chat/completions', chat(`see ${DATA}`), headers)
  const { error } = (await response.json()) as { error: Readonly<Record<string, unknown>> }
  assert.deepEqual(
    [response.status, error['code'], error['blocked_by'], error['reason'], error['param']],
    [403, 'policy.blocked', 'detect_opaque', 'Unreadable text detected: BASE64', 'messages[0].content'],
  )
  assert.equal(gateway.models.received.length, 0)
  const [entry] = await gateway.audit(`request_id=${response.headers.get('x-request-id')}`)
  assert.deepEqual([entry?.decision, entry?.step_name], ['block', 'detect_opaque'])
  assert.deepEqual(entry?.details['reasons'], [{ step: 'detect_opaque', kind: 'opaque.base64' }])
})

test('another one passes, and it is noted', async () => {
  const response = await gateway.post('/v1/chat/completions', chat(`see ${DATA}`))
  assert.equal(response.status, 200)
  const entries = await gateway.audit(`request_id=${response.headers.get('x-request-id')}`)
  assert.ok(JSON.stringify(entries).includes('opaque.base64'))
})

test('a text that everybody can read passes', async () => {
  assert.equal((await gateway.post('/v1/chat/completions', chat('hello'), headers)).status, 200)
})
