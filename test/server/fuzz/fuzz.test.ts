/**
 * Requests, answers and streams by chance: none is without a reply, no reply is a failure of the gateway, every reply has the call's
 * id, no secret leaves in either direction, and what passes is what was sent. A run is the same for the same seed:
 * TAPPASS_FUZZ_SEED. TAPPASS_FUZZ_BODIES is how many; unless it is set, a share of 100,000 (test/rounds.ts), and all of them in
 * `.ci/run`. Takes 3 minutes.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Case, type Chance, createChance, nextCase } from '../../../bench/body-generator.ts'
import { createWasmPolicy } from '../../../server/adapters/opa-wasm.ts'
import { loadSteps } from '../../../server/adapters/step-folder.ts'
import { systemClock } from '../../../server/adapters/system.ts'
import { createThreadPool } from '../../../server/adapters/thread-pool.ts'
import { LARGE_CHARS } from '../../../server/core/call.ts'
import type { UpstreamResponse } from '../../../server/core/ports.ts'
import type { Reply } from '../../../server/http/call-reply.ts'
import { createFindingCache } from '../../../server/pipeline/finding-cache.ts'
import type { Gateway } from '../../../server/pipeline/gateway.ts'
import { policyDocument, readPolicy } from '../../../server/policy/policy-document.ts'
import { roundsHere, shareOf } from '../../rounds.ts'
import { FAMILIES, testEngine } from '../detection/engine-fixture.ts'
import { answerOf, createBench, dripped, governed, requestOf } from '../governance/gateway-fixture.ts'

const BODIES = 100_000
const SEED = Number(process.env['TAPPASS_FUZZ_SEED'] ?? 9)
const bodies = roundsHere(Number(process.env['TAPPASS_FUZZ_BODIES'] ?? shareOf(BODIES)))

const steps = join(import.meta.dirname, '../../../server/steps')
const loaded = await loadSteps([steps], testEngine(), FAMILIES)
const workerData = { stepFolders: [steps], aliasKey: new Uint8Array(32) }
const worker = join(import.meta.dirname, '../../../server/inspection/worker.ts')
const inspector = createThreadPool({ worker, workerData, clock: systemClock })
after(() => inspector.close())

const policy = await createWasmPolicy(readPolicy(), policyDocument(loaded.registry))
let answer = ''
let events: readonly Uint8Array[] = []
const upstream = (): UpstreamResponse =>
  events.length === 0 ? answerOf([answer]) : answerOf(dripped(events), 'text/event-stream')
const { gateway: base, entries, forwarded } = createBench(upstream, { policy }, loaded.steps)
const gateway: Gateway = {
  ...base,
  registry: loaded.registry,
  limits: { ...base.limits, bodyBytesMax: 5_000_000 },
  findingCache: createFindingCache(),
  inspector,
}

/** A token as GitHub gives them; no detector lets one pass. */
const MARKER = ['ghp', 'q7Rt2LmX9vBz4KcW8nPy3HdJ6sGf1TaE5uVo'].join('_')

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

async function send(text: string): Promise<Reply | undefined> {
  const body = text.length > LARGE_CHARS ? undefined : parsed(text)
  // The route refuses what is no JSON object.
  if (body === undefined && text.length <= LARGE_CHARS) return undefined
  return governed(gateway, requestOf({}, { body, text, bodyBytes: Buffer.byteLength(text) }))
}

function assertWell({ text, isMarked }: Case, reply: Reply): void {
  assert.equal(reply.kind, 'json')
  if (reply.kind !== 'json') return
  const { error } = JSON.parse(reply.text) as { error?: { request_id?: string; code?: string } }
  if (reply.status >= 400) assert.equal(error?.request_id, 'req_1', reply.text)
  const isOfModelServer = error?.code === 'upstream.malformed'
  assert.ok(reply.status < 500 || isOfModelServer, `${reply.status} ${reply.text}`)
  assert.ok(!reply.text.includes(MARKER), 'a secret came back')
  const sent = forwarded[0]
  if (sent === undefined) return
  assert.ok(!isMarked || !JSON.stringify(JSON.parse(sent)).includes(MARKER), 'a secret was sent')
  // Nothing but redactions and names that stand twice makes a difference.
  if (entries[0]?.decision === 'allow' && sent !== text) assert.deepEqual(JSON.parse(sent), JSON.parse(text))
}

test(`${bodies} requests and answers by chance`, async () => {
  const chance = createChance(SEED)
  const seen = { marked: 0, answersMarked: 0, forwarded: 0, large: 0 }
  for (let number = 0; number < bodies; number++) {
    const one = nextCase(chance, MARKER)
    ;[entries.length, forwarded.length, answer] = [0, 0, one.answer]
    try {
      const reply = await send(one.text)
      if (reply === undefined) continue
      assertWell(one, reply)
      assert.ok(entries.length > 0 || reply.status === 400 || reply.status === 422, `${reply.status} without an entry`)
    } catch (cause) {
      throw new Error(
        `body ${number} of seed ${SEED}: ${one.text.slice(0, 2_000)}\nanswer: ${one.answer.slice(0, 2_000)}`,
        { cause },
      )
    }
    seen.marked += one.isMarked ? 1 : 0
    seen.answersMarked += one.isAnswerMarked && forwarded.length > 0 ? 1 : 0
    seen.forwarded += forwarded.length
    seen.large += one.text.length > LARGE_CHARS ? 1 : 0
  }
  // Chance that never gets anywhere shows nothing.
  for (const [what, count] of Object.entries(seen)) assert.ok(count >= Math.floor(bodies / 5_000), `${what}: ${count}`)
})

/** The events of a stream that gives an answer: its content in pieces, each other member at once, and bytes cut anywhere. */
function streamOf(chance: Chance, given: string): readonly Uint8Array[] {
  const message = (parsed(given) as { choices?: readonly { message?: Record<string, unknown> }[] })?.choices?.[0]
    ?.message
  if (message === undefined) return [Buffer.from(`data: ${given.replaceAll('\n', ' ')}\n\ndata: [DONE]\n\n`)]
  const { content, ...others } = message
  const pieces: string[] = []
  for (let at = 0, text = String(content); at < text.length; ) {
    const next = at + 1 + chance.below(chance.pick([3, 20, 200]))
    pieces.push(text.slice(at, next))
    at = next
  }
  const deltas = [
    ...Object.entries(others).map((member) => Object.fromEntries([member])),
    ...pieces.map((piece) => ({ content: piece })),
  ]
  const lines = deltas.map((delta) => JSON.stringify({ id: 'a', choices: [{ index: 0, delta }] }))
  const bytes = Buffer.from([...lines, '[DONE]'].map((data) => `data: ${data}\n\n`).join(''))
  const parts: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const next = at + 1 + chance.below(4_000)
    parts.push(bytes.subarray(at, next))
    at = next
  }
  return parts
}

/** What a client puts together of a stream, field by field. */
async function readStream(texts: AsyncIterable<string>): Promise<string> {
  let all = ''
  for await (const text of texts) all += text
  const contents = all.split('\n\n').flatMap((event) => {
    const chunk = parsed(event.replace(/^data: /, '')) as
      | { choices?: readonly { delta?: { content?: string } }[] }
      | undefined
    return [chunk?.choices?.[0]?.delta?.content ?? '']
  })
  return `${all}\n${contents.join('')}`
}

const streams = roundsHere(shareOf(10_000))

test(`${streams} streams by chance`, async () => {
  const chance = createChance(SEED + 1)
  const seen = { marked: 0, released: 0, refused: 0 }
  const ask = { model: 'm', stream: true, messages: [{ role: 'user', content: 'go on' }] }
  for (let number = 0; number < streams; number++) {
    const one = nextCase(chance, MARKER)
    ;[entries.length, forwarded.length] = [0, 0]
    events = streamOf(chance, one.answer)
    try {
      const reply = await governed(gateway, requestOf(ask))
      assert.ok(reply.status === 200 || reply.status === 502, `${reply.status}`)
      const text = reply.kind === 'stream' ? await readStream(reply.texts) : reply.text
      assert.ok(!text.includes(MARKER), 'a secret left in a stream')
      assert.ok(entries.length >= (reply.kind === 'stream' ? 2 : 1), `${entries.length} entries`)
      seen.marked += one.isAnswerMarked ? 1 : 0
      seen.released += text.includes('[DONE]') ? 1 : 0
      seen.refused += text.includes('policy.blocked') ? 1 : 0
    } catch (cause) {
      throw new Error(`stream ${number} of seed ${SEED + 1}: ${Buffer.concat(events).toString().slice(0, 4_000)}`, {
        cause,
      })
    } finally {
      events = []
    }
  }
  for (const [what, count] of Object.entries(seen)) assert.ok(count >= Math.floor(streams / 100), `${what}: ${count}`)
})
