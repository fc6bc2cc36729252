/** A stream of small pieces leaves as it comes: what is held is what may still be a match, not what has not gathered yet. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerOf, createBench, dripped, governed, requestOf } from '../governance/gateway-fixture.ts'
import { chunk, chunksOf } from '../model-server.ts'
import { PROSE, STEPS } from './window-fixture.ts'

const DELTAS = Array.from({ length: 200 }, (_, index) => PROSE.slice((index * 4) % 80, ((index * 4) % 80) + 4))

/** What is held of ordinary text. */
const HELD_CHARS = 24

test('200 small pieces: never more than two words held, in chunks as they came', async () => {
  let sent = 0
  let heldMax = 0
  let seen = ''
  function* upstream(): Generator<Uint8Array> {
    for (const delta of DELTAS) {
      heldMax = Math.max(heldMax, sent - seen.length)
      sent += delta.length
      yield Buffer.from(`data: ${JSON.stringify(chunk({ content: delta }))}\n\n`)
    }
    yield Buffer.from(`data: ${JSON.stringify(chunksOf('').at(-1))}\n\ndata: [DONE]\n\n`)
  }
  const bench = createBench(() => answerOf(dripped(upstream()), 'text/event-stream'), {}, STEPS)
  const reply = await governed(
    bench.gateway,
    requestOf({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hello' }] }),
  )
  if (reply.kind !== 'stream') throw new Error('no stream')
  for await (const part of reply.texts) {
    for (const [, data] of part.matchAll(/^data: (\{.*)$/gm)) {
      seen += JSON.parse(data as string).choices?.[0]?.delta?.content ?? ''
    }
  }
  assert.equal(seen, DELTAS.join(''))
  assert.ok(heldMax <= HELD_CHARS, `${heldMax} held`)
})
