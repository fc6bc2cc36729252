/** Traces cost calls nothing when their collector is gone or slow, hold no text of a call, and are for those that the sampler chooses. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createOtlpTracer } from '../../../../server/adapters/otlp/tracer.ts'
import { systemClock } from '../../../../server/adapters/system.ts'
import type { Tracer } from '../../../../server/core/trace.ts'
import { freePort } from '../../../free-port.ts'
import { chunksOf, completion, events, json } from '../../model-server.ts'
import { ADMIN_KEY, chat, startGateway } from '../../running-gateway.ts'
import { startOddCollector } from './odd-collector.ts'

const PROTOCOLS = ['http/protobuf', 'grpc'] as const
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = { traceId: TRACE, spanId: '00f067aa0ba902b7', isSampled: true }
/** Stands in every text that a client or a model server sends; in what is exported it must not. */
const MARK = 'zq7marked'

/** Shorter than a gateway's, but long enough for a second attempt. */
const TIMES = { batchMs: 20, sendMs: 30_000, closeMs: 100 }

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await sleep(10)
}

type Counts = Record<'exported' | 'failed' | 'dropped', number>
type Traced = Readonly<{ tracer: Tracer; counts: Counts; faults: readonly Error[] }>

const tracerTo = (endpoint: string, protocol: (typeof PROTOCOLS)[number], sampling: object = {}): Traced => {
  const counts = { exported: 0, failed: 0, dropped: 0 }
  const faults: Error[] = []
  const options = {
    endpoint,
    protocol,
    headers: {},
    sampler: 'parentbased_always_on',
    share: 1,
    times: TIMES,
    ...sampling,
  }
  const tracer = createOtlpTracer({ ...options, serviceName: 't', version: '0', instance: '1' }, systemClock, {
    spans: (count, outcome) => {
      counts[outcome] += count
    },
    fault: (cause) => faults.push(cause),
  })
  return { tracer, counts, faults }
}

const traceCalls = ({ tracer }: Traced, calls: number, parent: typeof PARENT | undefined = undefined): void => {
  for (let at = 0; at < calls; at++) {
    const trace = tracer.start({ name: 'POST /x', startMs: systemClock.elapsedMs(), parent, attributes: {} })
    trace.span?.({ type: 'policy', name: 'policy', startMs: 1, endMs: 2, attributes: {} })
    trace.end({})
  }
}

test('nothing exported holds a text, a key or a value that was found', async () => {
  const collector = await startOddCollector('http/protobuf')
  after(() => collector.close())
  const secret = 'c29tZXRva2Vu'
  const gateway = await startGateway({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Basic%20${secret}`,
    OPENAI_API_KEY: `sk-${MARK}`,
  })
  const key = ['AKIA', 'Z7QXWR4MNPL2VK8T'].join('')
  const email = `${MARK}@example.org`
  const headers = { 'x-tappass-session': MARK, 'user-agent': MARK, tracestate: `a=${MARK}`, baggage: `b=${MARK}` }
  const ask = (content: string, more: object = {}): Promise<Response> =>
    gateway.post('/chat/completions', chat(content, { user: MARK, ...more }), headers)
  try {
    const tools = [{ type: 'function', function: { name: `t_${MARK}`, parameters: {} } }]
    gateway.models.answer(json(completion(`${MARK} and ${email}`, { model: MARK, system_fingerprint: MARK, id: MARK })))
    assert.equal((await ask(`${MARK} ${email}`, { tools })).status, 200)
    assert.equal((await ask(`my key is ${key} ${MARK}`)).status, 403)
    assert.equal((await ask('hello', { model: `my key is ${key}` })).status, 403)
    assert.equal((await ask(`${MARK} `.repeat(5000))).status, 200)
    gateway.models.answer(events(...chunksOf(`${MARK} `, email, ` ${key}`)))
    await (await ask(MARK, { stream: true })).text()
    gateway.models.answer(json({ error: { message: MARK, type: MARK, code: MARK } }, 400))
    assert.equal((await ask(MARK)).status, 400)
    gateway.models.answer((response) => void response.destroy())
    assert.equal((await ask(MARK)).status, 502)
  } finally {
    await gateway.close()
  }
  const bytes = collector.bytes()
  // It did arrive: each kind of span, and what the table allows.
  for (const text of ['POST /chat/completions', 'step detect_pii', 'ledger append', 'gen_ai.request.model'])
    assert.ok(bytes.includes(text), text)
  const { agent } = gateway
  for (const text of [MARK, key, email, secret, ADMIN_KEY, agent.key, agent.key.slice(8)])
    assert.ok(!bytes.includes(text), text)
  assert.equal(collector.headers[0]?.['authorization'], `Basic ${secret}`)
})

for (const protocol of PROTOCOLS) {
  test(`${protocol}: a collector that takes nothing: calls go on, what the queue has no room for is counted`, async () => {
    const collector = await startOddCollector(protocol)
    after(() => collector.close())
    collector.answers('hangs')
    const traced = tracerTo(collector.url, protocol)
    traceCalls(traced, 10_000)
    // Two spans a call; a queue of 4096, and a batch of 512 that is under way.
    assert.ok(
      traced.counts.dropped >= 20_000 - 4096 - 512 && traced.counts.dropped < 20_000,
      `${traced.counts.dropped}`,
    )
    // It waits for a moment, not for as long as the collector likes: the test would not end.
    await traced.tracer.close()
  })

  test(`${protocol}: a refusal is told once, and again after the collector was well in between`, async () => {
    const collector = await startOddCollector(protocol)
    after(() => collector.close())
    const traced = tracerTo(collector.url, protocol)
    const outcomes: number[] = []
    for (const manner of ['takes', 'refuses', 'refuses', 'takes', 'refuses'] as const) {
      collector.answers(manner)
      const { exported, failed } = traced.counts
      traceCalls(traced, 1)
      await until(() => traced.counts.exported + traced.counts.failed === exported + failed + 2)
      outcomes.push(traced.faults.length)
    }
    assert.deepEqual(outcomes, [0, 1, 1, 1, 2])
    assert.deepEqual(traced.counts, { exported: 4, failed: 6, dropped: 0 })
    await traced.tracer.close()
  })

  test(`${protocol}: what a full collector did not take is sent again`, async () => {
    const collector = await startOddCollector(protocol)
    after(() => collector.close())
    collector.answers('full')
    const traced = tracerTo(collector.url, protocol)
    traceCalls(traced, 1)
    await until(() => collector.headers.length > 0)
    collector.answers('takes')
    await until(() => traced.counts.exported === 2)
    assert.ok(collector.headers.length > 1)
    assert.equal(traced.faults.length, 0)
    await traced.tracer.close()
  })
}

test('of one call so many spans are kept, and it says how many there were beyond', async () => {
  const collector = await startOddCollector('grpc')
  after(() => collector.close())
  const traced = tracerTo(collector.url, 'grpc')
  const trace = traced.tracer.start({ name: 'POST /x', startMs: 0, parent: undefined, attributes: {} })
  for (let at = 0; at < 1500; at++)
    trace.span?.({ type: 'policy', name: 'policy', startMs: 1, endMs: 2, attributes: {} })
  trace.end({})
  await until(() => traced.counts.exported === 1001)
  // A whole number in OTLP: field 3 of the value, as a varint.
  const said = Buffer.concat([Buffer.from('tappass.spans.omitted\x12\x03\x18'), Buffer.from([0xf4, 0x03])])
  assert.ok(collector.bytes().includes(said))
  await traced.tracer.close()
})

test('a collector that is not there is told of', async () => {
  const traced = tracerTo(`http://127.0.0.1:${await freePort()}`, 'grpc', { times: { ...TIMES, sendMs: 100 } })
  traceCalls(traced, 3)
  await until(() => traced.counts.failed === 6)
  assert.equal(traced.faults.length, 1)
  await traced.tracer.close()
})

test('a collector that takes nothing: calls pass, and a metric says what was lost', async () => {
  const collector = await startOddCollector('grpc')
  after(() => collector.close())
  collector.answers('refuses')
  const gateway = await startGateway({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_HEADERS: 'X-Tenant=a%20b',
  })
  try {
    assert.equal((await gateway.post('/chat/completions', chat('hello'))).status, 200)
    const metric = async (): Promise<string> => await (await gateway.admin('/metrics')).text()
    while (!/^tappass_trace_spans_total\{gateway="1",outcome="failed"\} [1-9]/m.test(await metric())) await sleep(50)
    assert.match(await metric(), /^tappass_trace_spans_total\{gateway="1",outcome="exported"\} 0$/m)
    assert.equal(collector.headers[0]?.['x-tenant'], 'a b')
  } finally {
    await gateway.close()
  }
})

const SAMPLERS: readonly (readonly [
  sampler: string,
  share: number,
  alone: boolean,
  asked: boolean,
  unasked: boolean,
])[] = [
  ['always_on', 1, true, true, true],
  ['always_off', 1, false, false, false],
  ['traceidratio', 0, false, false, false],
  ['traceidratio', 1, true, true, true],
  ['parentbased_always_on', 1, true, true, false],
  ['parentbased_always_off', 1, false, true, false],
  ['parentbased_traceidratio', 0, false, true, false],
]
for (const [sampler, share, alone, asked, unasked] of SAMPLERS)
  test(`${sampler} ${share}: recorded ${alone} without a caller, ${asked} and ${unasked} where one is recorded and is not`, async () => {
    const { tracer } = tracerTo(`http://127.0.0.1:${await freePort()}`, 'http/protobuf', { sampler, share })
    const parents = [undefined, PARENT, { ...PARENT, isSampled: false }]
    const traces = parents.map((parent) => tracer.start({ name: 'x', startMs: 0, parent, attributes: {} }))
    assert.deepEqual(
      traces.map(({ span }) => span !== undefined),
      [alone, asked, unasked],
    )
    const sent = traces.map((trace) => trace.begin('upstream', 'chat m', {}).traceparent)
    assert.deepEqual(
      sent.map((text) => /^00-[\da-f]{32}-[\da-f]{16}-01$/.test(text)),
      [alone, asked, unasked],
    )
    assert.ok(sent.slice(1).every((text) => text.startsWith(`00-${TRACE}-`)))
    await tracer.close()
  })

test('one call in a hundred: so many of ten thousand traces are recorded', async () => {
  const { tracer } = tracerTo(`http://127.0.0.1:${await freePort()}`, 'grpc', { sampler: 'traceidratio', share: 0.01 })
  let recorded = 0
  for (let at = 0; at < 10_000; at++)
    if (tracer.start({ name: 'x', startMs: 0, parent: undefined, attributes: {} }).span) recorded++
  // Ten standard deviations.
  assert.ok(recorded > 1 && recorded < 200, `${recorded}`)
  await tracer.close()
})
