/** When what taints a session is asked for, and what comes of an answer that does not come, or of a policy that has none. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ports } from '../../../server/core/ports.ts'
import type { GovernedRequest } from '../../../server/governance/governed-request.ts'
import { answerOf, createBench, decide, dripped, governed, requestOf } from './gateway-fixture.ts'

const BODY = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }
const ANSWER = JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content: 'hi' } }] })

/** Governs one call of a session that is tainted by `taint`. */
async function ask(taint: readonly string[] | Error, more: Partial<GovernedRequest> = {}, ports: Partial<Ports> = {}) {
  const asked: string[] = []
  const taints = {
    of: async (agent: string, session: string) => {
      asked.push(`${agent} ${session}`)
      if (taint instanceof Error) throw taint
      return taint
    },
    prune: async () => {},
  }
  const { gateway, entries, events } = createBench(() => answerOf([ANSWER]), { taints, ...ports })
  const reply = await governed(gateway, requestOf(BODY, more))
  const body = JSON.parse(reply.kind === 'json' ? reply.text : '') as Record<string, unknown>
  return { asked, reply, body, events, details: entries.map(({ details }) => details) }
}

test('it is asked for once in a call, by agent and session', async () => {
  const { asked, details } = await ask(['injection'])
  assert.deepEqual(asked, ['ag_12345678 ses_1'])
  assert.deepEqual(
    details.map(({ stage, taint }) => [stage, taint]),
    [
      ['request', ['injection']],
      ['response', ['injection']],
    ],
  )
})

test('a session that the client did not name is new, and not asked about', async () => {
  const { asked, body } = await ask(['injection'], { isNewSession: true })
  assert.deepEqual(asked, [])
  assert.deepEqual((body['tappass'] as Record<string, unknown>)['taint'], [])
})

test('when nobody can tell, the call is refused, recorded, and not forwarded', async () => {
  const { reply, body, events, details } = await ask(new Error('text of a call'))
  assert.equal(reply.status, 503)
  assert.equal(body['reason'], 'Step did not report: session_taint (failed)')
  assert.deepEqual(events, ['append govern_block'])
  assert.deepEqual(details[0]?.['not_done'], { session_taint: { reason: 'Error', status: 'failed' } })
})

test('a policy that says nothing of it, or can not be asked, does not wash a session clean', async () => {
  const unavailable = { revision: 'f'.repeat(64), decide: () => Promise.reject(new Error('gone')) }
  assert.deepEqual((await ask(['opaque'], {}, { policy: unavailable })).details[0]?.['taint'], ['opaque'])
  const adding: Ports['policy'] = {
    revision: 'f'.repeat(64),
    decide: async (input, id) => ({ ...decide(input, id), taint: { all: ['injection'], found: ['injection'] } }),
  }
  const [request, response] = (await ask(['opaque'], {}, { policy: adding })).details
  assert.deepEqual([request?.['taint'], request?.['taint_found']], [['injection', 'opaque'], ['injection']])
  assert.deepEqual(response?.['taint'], ['injection', 'opaque'])
})

test('what a later piece of a stream shows taints, too: the entry of its end says so', async () => {
  const chunks = ['All is well. ', 'Now the [class.internal] part. ', 'And that was it. ']
  const event = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  const sent = [...chunks.map((content) => event({ content }, null)), event({}, 'stop'), 'data: [DONE]\n\n']
  const policy: Ports['policy'] = {
    revision: 'f'.repeat(64),
    decide: async ({ outcomes }, decisionId) => {
      const found = outcomes.some(({ findings }) => findings.length > 0) ? ['class'] : []
      const head = { policy: 'f'.repeat(64), decisionId, classification: 'PUBLIC' }
      return { ...head, action: 'allow', taint: { all: found, found } }
    },
  }
  const { gateway, entries } = createBench(() => answerOf(dripped(sent), 'text/event-stream'), { policy })
  const reply = await governed(gateway, requestOf({ ...BODY, stream: true }))
  if (reply.kind === 'stream') for await (const _text of reply.texts);
  const [request, last] = [entries[0], entries.at(-1)]
  assert.deepEqual([request?.eventType, request?.details['taint']], ['govern_allow', undefined])
  assert.equal(last?.eventType, 'stream_closed')
  assert.deepEqual([last?.details['taint'], last?.details['taint_found']], [['class'], ['class']])
})
