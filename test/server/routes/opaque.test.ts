/** What nobody can read, over HTTP: it passes and the ledger says where it is; with a flag, or in lockdown, it is refused. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { safePointer } from '../../../server/ledger/safe-pointer.ts'
import { json } from '../model-server.ts'
import { chat, type RunningGateway, startGateway } from '../running-gateway.ts'
import { base64, FILES, noise, SHAPES } from '../steps/opaque-fixture.ts'

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway()
})
after(() => gateway.close())
beforeEach(() => {
  gateway.models.received.length = 0
})

const DATA = base64(noise(900))
const PDF = base64(FILES['PDF'] as Buffer)

type Noted = Readonly<{ kind: string; pointer: string; confidence: number; severity: string; span: readonly number[] }>
type Findings = Readonly<Record<string, Readonly<{ count: number; listed: readonly Noted[] }>>>

/** What the entry of the request of a call notes. */
async function noted(response: Response): Promise<readonly Noted[]> {
  const entries = await gateway.audit(`request_id=${response.headers.get('x-request-id')}`)
  const request = entries.find(({ details }) => details['stage'] === 'request')
  return ((request?.details['findings'] ?? {}) as Findings)['detect_opaque']?.listed ?? []
}

/** Shapes that the routes take, as whole bodies. */
const BODIES = SHAPES.flatMap(([client, body, pointer]) => {
  const isChat = pointer.startsWith('/messages')
  return isChat ? [[client, (data: string) => ({ model: 'gpt-test', ...body(data) }), pointer] as const] : []
})

for (const [client, body, pointer] of BODIES) {
  describe(client, () => {
    test('bytes pass as they came, and the entry notes them without a character of them', async () => {
      const sent = JSON.stringify(body(DATA))
      const response = await gateway.post('/v1/chat/completions', sent)
      assert.equal(response.status, 200)
      assert.equal(gateway.models.received[0]?.body, sent)
      const findings = await noted(response)
      assert.deepEqual(
        findings.map(({ span, ...finding }) => [finding, span.length]),
        [[{ kind: 'opaque.base64', pointer: safePointer(pointer), confidence: 0.9, severity: 'low' }, 2]],
      )
      const entries = await gateway.audit(`request_id=${response.headers.get('x-request-id')}`)
      assert.ok(!JSON.stringify(entries).includes(DATA.slice(40, 60)))
    })

    for (const flag of ['opaque=block', 'mode=lockdown']) {
      test(`with ${flag} they are refused, and nothing reaches the model server`, async () => {
        const response = await gateway.post('/v1/chat/completions', body(DATA), { 'x-tappass-flags': flag })
        const { error } = (await response.json()) as { error: Readonly<Record<string, unknown>> }
        assert.deepEqual(
          [response.status, error['code'], error['blocked_by'], error['reason']],
          [403, 'policy.blocked', 'detect_opaque', 'Unreadable text detected: BASE64'],
        )
        assert.equal(gateway.models.received.length, 0)
        assert.equal((await noted(response))[0]?.kind, 'opaque.base64')
      })
    }

    test('a PDF passes with the flag, and nothing is noted', async () => {
      const response = await gateway.post('/v1/chat/completions', body(PDF), { 'x-tappass-flags': 'opaque=block' })
      assert.deepEqual([response.status, await noted(response)], [200, []])
    })
  })
}

const OTHERS: readonly (readonly [what: string, path: string, body: object])[] = [
  ['a large body', '/v1/chat/completions', chat(`see ${base64(noise(60_000))}`)],
  ['a stream', '/v1/chat/completions', chat(`see ${DATA}`, { stream: true })],
  ['a prompt', '/v1/completions', { model: 'm', prompt: DATA }],
  ['a text to embed', '/v1/embeddings', { model: 'm', input: ['First.', DATA] }],
  ['a turn that was judged before', '/v1/chat/completions', chat(`see ${DATA}`)],
  ['the same again', '/v1/chat/completions', chat(`see ${DATA}`)],
]
for (const [what, path, body] of OTHERS) {
  test(`noted, and refused with the flag: ${what}`, async () => {
    gateway.models.answer(json({ object: 'list', data: [], choices: [] }))
    const passed = await gateway.post(path, body)
    await passed.text().catch(() => '')
    const refused = await gateway.post(path, body, { 'x-tappass-flags': 'opaque=block' })
    assert.deepEqual([gateway.models.received.length, refused.status], [1, 403])
    assert.deepEqual(
      [await noted(passed), await noted(refused)].map((findings) => findings.map(({ kind }) => kind)),
      [['opaque.base64'], ['opaque.base64']],
    )
  })
}
