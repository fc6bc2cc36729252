/** A stream of small pieces leaves as it comes, and asks the policy no more often for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { govern } from '../../../server/governance/govern.ts'
import { answerOf, createBench, decide, requestOf } from '../governance/gateway-fixture.ts'
import { chunk, chunksOf } from '../model-server.ts'
import { PROSE, STEPS } from './window-fixture.ts'

const DELTAS = Array.from({ length: 200 }, (_, index) => PROSE.slice((index * 4) % 80, ((index * 4) % 80) + 4))

/** Characters that gather before a text is looked at again; what is held of ordinary text besides. */
const FRESH_CHARS = 64
const HELD_CHARS = 24

test('200 small pieces: one question for 64 characters, and never more than a line held', async () => {
  let asked = 0
  let sent = 0
  let heldMax = 0
  let seen = ''
  async function* upstream(): AsyncGenerator<Uint8Array> {
    for (const delta of DELTAS) {
      heldMax = Math.max(heldMax, sent - seen.length)
      sent += delta.length
      yield Buffer.from(`data: ${JSON.stringify(chunk({ content: delta }))}\n\n`)
    }
    yield Buffer.from(`data: ${JSON.stringify(chunksOf('').at(-1))}\n\ndata: [DONE]\n\n`)
  }
  const policy = {
    revision: 'f'.repeat(64),
    decide: async (...[input, id]: Parameters<typeof decide>) => {
      asked++
      return decide(input, id)
    },
  }
  const bench = createBench(() => ({ ...answerOf([], 'text/event-stream'), body: upstream() }), { policy }, STEPS)
  const body = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hello' }] }
  const reply = await govern(bench.gateway, requestOf(body))
  if (reply.kind !== 'stream') throw new Error('no stream')
  for await (const part of reply.chunks) {
    for (const [, data] of part.matchAll(/^data: (\{.*)$/gm)) {
      seen += JSON.parse(data as string).choices?.[0]?.delta?.content ?? ''
    }
  }
  assert.equal(seen, DELTAS.join(''))
  // The request, the opening of the stream, one for each 64 characters, the end.
  assert.ok(asked <= 3 + sent / FRESH_CHARS, `${asked} questions for ${sent} characters`)
  assert.ok(heldMax <= FRESH_CHARS + HELD_CHARS, `${heldMax} held`)
})
