/** The real OpenTelemetry Collector takes traces over HTTP and over gRPC: one trace a call, with all its spans, below its caller's span. Needs: otel-collector. On one Node: it is the Collector that is asked. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { SPAN_ATTRIBUTES, SPANS, type SpanType } from '../../../../server/core/trace.ts'
import { chunksOf, completion, events, json } from '../../model-server.ts'
import { chat, type RunningGateway, startGateway } from '../../running-gateway.ts'
import { type ArrivedSpan, startCollector } from './collector-process.ts'

const collector = await startCollector()
after(() => collector.close())

const PROTOCOLS = ['http/protobuf', 'grpc'] as const
const CALL = 'POST /chat/completions'
const STEPS = ['classify_data', 'detect_opaque', 'detect_pii', 'detect_secrets']
const ofRequest = [...STEPS, 'detect_injection', 'detect_unicode', 'rate_limit', 'validate_input'].toSorted()
const ofAnswer = [...STEPS, 'scan_output']
const PARENT = '00f067aa0ba902b7'

const traceIdOf = (protocol: string, row: string): string =>
  Buffer.from(`${protocol}/${row}`.padEnd(16, '.').slice(0, 16)).toString('hex')
const ask = (gateway: RunningGateway, traceId: string, content: string, more: object = {}): Promise<Response> =>
  gateway.post('/chat/completions', chat(content, more), { traceparent: `00-${traceId}-${PARENT}-01` })
const named = (spans: readonly ArrivedSpan[], name: string): readonly ArrivedSpan[] =>
  spans.filter((span) => span.name === name)
const stepsOf = (spans: readonly ArrivedSpan[], stage: string): readonly string[] =>
  spans
    .filter(({ name, attributes }) => name.startsWith('step ') && attributes['tappass.stage'] === stage)
    .map(({ name }) => name.slice('step '.length))
    .toSorted()

const KINDS = { internal: 1, server: 2, client: 3 }
const typeOf = (name: string): SpanType => {
  const types = { [CALL]: 'call', policy: 'policy', 'ledger append': 'ledger', 'chat gpt-test': 'upstream' } as const
  return types[name as keyof typeof types] ?? 'step'
}

/** Each span hangs below the call, within its time, and says what the table allows for its type, and no more. */
const assertShape = (spans: readonly ArrivedSpan[]): void => {
  const [root] = named(spans, CALL)
  assert.ok(root)
  assert.equal(root.parentSpanId, PARENT)
  for (const span of spans) {
    const type = typeOf(span.name)
    if (span !== root) assert.equal(span.parentSpanId, root.spanId, span.name)
    assert.equal(span.kind, KINDS[SPANS[type].kind], span.name)
    assert.ok(BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano), span.name)
    // Sums of fractions of a millisecond.
    assert.ok(BigInt(span.endTimeUnixNano) <= BigInt(root.endTimeUnixNano) + 1000n, span.name)
    const table: Readonly<Record<string, Readonly<{ of: readonly string[] }>>> = SPAN_ATTRIBUTES
    for (const name of Object.keys(span.attributes)) assert.ok(table[name]?.of.includes(type), `${span.name}: ${name}`)
    assert.equal(span.resource['service.name'], 'tappass-test')
    assert.match(String(span.resource['service.version']), /^\d/)
  }
}

for (const protocol of PROTOCOLS)
  test(`over ${protocol}: an answer, a stream, a refusal, a large body`, async () => {
    const gateway = await startGateway({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url[protocol],
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_SERVICE_NAME: 'tappass-test',
    })
    try {
      const [answered, streamed, refused, large] = ['answer', 'stream', 'refusal', 'large'].map((row) =>
        traceIdOf(protocol.slice(0, 4), row),
      ) as [string, string, string, string]
      gateway.models.answer(json(completion('fine', { usage: { prompt_tokens: 7, completion_tokens: 2 } })))
      assert.equal((await ask(gateway, answered, 'hello')).status, 200)
      assert.equal((await ask(gateway, large, 'a word '.repeat(10_000))).status, 200)
      gateway.models.answer(events(...chunksOf('a ', 'few ', 'words')))
      assert.match(await (await ask(gateway, streamed, 'hello', { stream: true })).text(), /\[DONE\]/)
      const key = ['AKIA', 'Z7QXWR4MNPL2VK8T'].join('')
      assert.equal((await ask(gateway, refused, `my key is ${key}`)).status, 403)

      const spans = await collector.spans(answered, CALL)
      assertShape(spans)
      assert.deepEqual(stepsOf(spans, 'request'), ofRequest)
      assert.deepEqual(stepsOf(spans, 'response'), ofAnswer)
      assert.equal(named(spans, 'policy').length, 2)
      assert.deepEqual(
        named(spans, 'ledger append').map(({ attributes }) => attributes['tappass.entry.type']),
        ['govern_allow', 'govern_allow'],
      )
      const [upstream] = named(spans, 'chat gpt-test')
      assert.deepEqual(upstream?.attributes, {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': new URL(gateway.models.url).host,
        'gen_ai.request.model': 'gpt-test',
        'gen_ai.usage.input_tokens': 7,
        'gen_ai.usage.output_tokens': 2,
        'http.response.status_code': 200,
        'server.address': '127.0.0.1',
        'server.port': Number(new URL(gateway.models.url).port),
        'tappass.stream': false,
      })
      const sent = gateway.models.received.map(({ headers }) => headers['traceparent'])
      assert.equal(sent[0], `00-${answered}-${upstream?.spanId}-01`)
      const [root] = named(spans, CALL)
      assert.equal(root?.attributes['http.response.status_code'], 200)
      assert.equal(root?.attributes['tappass.classification'], 'PUBLIC')
      assert.ok(!spans.some(({ isError }) => isError))

      const ofLarge = await collector.spans(large, CALL)
      assertShape(ofLarge)
      assert.deepEqual(stepsOf(ofLarge, 'request'), ofRequest)

      const ofStream = await collector.spans(streamed, CALL)
      assertShape(ofStream)
      assert.ok(stepsOf(ofStream, 'response').length >= ofAnswer.length)
      assert.equal(named(ofStream, 'chat gpt-test')[0]?.attributes['tappass.stream'], true)

      const ofRefusal = await collector.spans(refused, CALL)
      assertShape(ofRefusal)
      assert.equal(named(ofRefusal, 'chat gpt-test').length, 0)
      assert.equal(named(ofRefusal, 'policy')[0]?.attributes['tappass.action'], 'block')
      assert.equal(named(ofRefusal, 'step detect_secrets')[0]?.attributes['tappass.step.findings'], 1)
      assert.ok(!collector.text().includes(key))
    } finally {
      await gateway.close()
    }
  })
