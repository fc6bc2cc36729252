/** Large bodies end to end: another thread looks through them, and everything else is as with small ones. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { LARGE_CHARS } from '../../../server/core/call.ts'
import { completion, json } from '../model-server.ts'
import { privateKey } from '../rules/fixture.ts'
import { type AuditEvent, chat, type RunningGateway, startGateway } from '../running-gateway.ts'

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway()
})
after(() => gateway.close())
beforeEach(() => {
  gateway.models.received.length = 0
  gateway.models.answer(json(completion('All three regions grew.')))
})

const PROSE = 'Two roads diverged in a wood, and sorry I could not travel both. '.repeat(LARGE_CHARS / 32)
const sent = (): string | undefined => gateway.models.received[0]?.body
const errorOf = async (response: Response) => ((await response.json()) as { error: { code: string } }).error
const newest = async (): Promise<AuditEvent | undefined> => (await gateway.audit('limit=1'))[0]

test('a large request passes to the byte, and its answer says what it says of a small one', async () => {
  const text = JSON.stringify(chat(PROSE), null, 1)
  const response = await gateway.post('/v1/chat/completions', text)
  const { tappass } = (await response.json()) as { tappass: Record<string, unknown> }
  assert.equal(response.status, 200)
  assert.deepEqual([tappass['turn_index'], tappass['model']], [1, 'stand-in'])
  assert.equal(sent(), text)
})

test('its entry has its model, its steps and how many texts it has', async () => {
  await gateway.post('/v1/chat/completions', chat(PROSE))
  const [, request] = await gateway.audit('limit=2')
  const { segments, steps, path } = request?.details ?? {}
  assert.deepEqual([request?.event_type, segments, path], ['govern_allow', 2, '/chat/completions'])
  assert.ok(Object.keys(steps as object).length >= 7)
})

test('a key in it is refused, and points at its message', async () => {
  const response = await gateway.post('/v1/chat/completions', chat(`${PROSE}\n${privateKey()}`))
  const { code, ...error } = await errorOf(response)
  assert.deepEqual([response.status, code], [403, 'policy.blocked'])
  assert.equal((error as { param?: unknown }).param, 'messages[0].content')
  assert.equal(sent(), undefined)
})

test('what has to be masked in it is, and everything else stays', async () => {
  await gateway.post('/v1/chat/completions', chat(`${PROSE}bob@example.com`), { 'x-tappass-flags': 'pii=mask' })
  assert.equal(sent(), JSON.stringify(chat(`${PROSE}[REDACTED:pii.email]`)))
})

test('a large answer is judged, masked and refused as a small one', async () => {
  gateway.models.answer(json(completion(`${PROSE}bob@example.com`)))
  const masked = await gateway.post('/v1/chat/completions', chat('hi'), { 'x-tappass-flags': 'pii=mask' })
  const { choices, tappass } = (await masked.json()) as Record<string, never>
  assert.equal(choices?.[0]?.['message']?.['content'], `${PROSE}[REDACTED:pii.email]`)
  assert.deepEqual([tappass?.['model'], tappass?.['redacted']], ['stand-in', ['pii.email']])
  gateway.models.answer(json(completion(`${PROSE}\n${privateKey()}`)))
  const refused = await gateway.post('/v1/chat/completions', chat('hi'))
  assert.equal((await errorOf(refused)).code, 'policy.blocked_response')
})

test('a large answer that is no JSON object is an error of the model server, and recorded', async () => {
  gateway.models.answer(json(`[${' '.repeat(LARGE_CHARS)}]`))
  const response = await gateway.post('/v1/chat/completions', chat('hi'))
  assert.deepEqual([response.status, (await errorOf(response)).code], [502, 'upstream.malformed'])
  assert.equal((await newest())?.event_type, 'upstream_failed')
})

/** What nobody is to send again: the text, and the error. */
const REFUSED: readonly (readonly [what: string, text: string, status: number, code: string])[] = [
  ['no JSON', `{"a":${' '.repeat(LARGE_CHARS)}`, 400, 'request.malformed'],
  ['no object', `[${' '.repeat(LARGE_CHARS)}]`, 400, 'request.malformed'],
  ['too deep', `{"a":${'['.repeat(LARGE_CHARS)}`, 422, 'request.too_complex'],
  ['too many findings', JSON.stringify(chat('\u200b '.repeat(LARGE_CHARS))), 422, 'request.too_complex'],
  ['a field of another type', JSON.stringify(chat(PROSE, { stream: 'yes' })), 400, 'request.invalid'],
]

for (const [what, text, status, code] of REFUSED) {
  test(`a large body, ${what}: ${status}, and it is not to come again`, async () => {
    const response = await gateway.post('/v1/chat/completions', text)
    assert.deepEqual([response.status, (await errorOf(response)).code], [status, code])
    assert.equal(response.headers.get('x-should-retry'), 'false')
    assert.equal(sent(), undefined)
  })
}

test('a call that can not be looked through is in the ledger', async () => {
  await gateway.post('/v1/chat/completions', `{"a":${'['.repeat(LARGE_CHARS)}`)
  const { decision, details } = (await newest()) ?? {}
  assert.deepEqual([decision, details?.['released']], ['block', false])
})
