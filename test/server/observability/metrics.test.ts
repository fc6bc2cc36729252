/** The page of metrics is up to date; hostile callers make no more series than there may be; OpenMetrics has the traces of callers. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createPrometheus } from '../../../server/adapters/prometheus.ts'
import { SERIES_MAX } from '../../../server/observability/series.ts'
import { chunk } from '../model-server.ts'
import { chat, type RunningGateway, startGateway } from '../running-gateway.ts'
import { withMetrics } from './metric-page.ts'

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway()
})
after(() => gateway.close())

const metrics = async (accept = 'text/plain'): Promise<string> =>
  (await gateway.admin('/metrics', { headers: { accept } })).text()
/** Series of the gateway's own metrics; those of Node come and go with its handles. */
const seriesIn = (text: string): readonly string[] =>
  text.split('\n').filter((line) => line !== '' && !/^#|^tappass_(?:nodejs|process)_/.test(line))

test('its page is up to date (node test/server/observability/write-metrics.ts writes it)', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/metrics.md'), 'utf8')
  assert.equal(page, await withMetrics(page))
})

/** Sends a request as it is: fetch knows few methods. */
const send = (method: string, path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const asked = request(new URL(path, gateway.url), { method }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode))
    })
    asked.once('error', reject).end()
  })

const HOSTILE = ['x', '"} 1\ntappass_ready 0', '\\', 'é', 'a'.repeat(100)] as const
const hostile = (at: number): string => `${HOSTILE[at % HOSTILE.length]}${at}`

/** A round of what a caller chooses: models, agents, paths, methods, sessions, and what the model server answers. */
const attack = async (round: number): Promise<void> => {
  for (let at = round * 10; at < (round + 1) * 10; at++) {
    await gateway.post('/chat/completions', { ...chat('hello'), model: hostile(at) }, { 'x-tappass-session': `s${at}` })
    await send('GET', `/agents/${encodeURIComponent(hostile(at))}`)
    await send('GET', `/models/${encodeURIComponent(hostile(at))}`)
    await send('GET', `/${encodeURIComponent(hostile(at))}/${at}`)
    await send(['PURGE', 'MKCOL', 'LOCK', 'PUT', 'PATCH'][at % 5] ?? '', `/chat/completions`)
  }
}

test('hostile models, agents, paths and methods make no more series, and stand in none', async () => {
  await attack(0)
  await metrics()
  const first = seriesIn(await metrics())
  await attack(1)
  await attack(2)
  const last = seriesIn(await metrics())
  const names = (lines: readonly string[]) => lines.map((line) => line.replace(/ \S+$/, '')).toSorted()
  assert.ok(first.length > 100, `${first.length}`)
  assert.deepEqual(names(last), names(first))
  for (const text of ['PURGE', 'aaaaa', 'é']) assert.ok(!last.some((line) => line.includes(text)), text)
  assert.ok(last.some((line) => line.includes('method="(other)",path="(unknown)"')))
})

test('whatever labels are observed, a metric has so many series, and what is beyond is counted', async () => {
  const meter = createPrometheus('1', () => 0)
  for (let at = 0; at < SERIES_MAX + 1000; at++) {
    meter.count('step_failures', `step ${at}`)
    meter.observe('step_seconds', 0.1, `step ${at}`)
  }
  const families = await meter.families()
  const valuesOf = (name: string) => families.find((family) => family.name === name)?.values ?? []
  const failures = valuesOf('tappass_step_failures_total')
  assert.equal(failures.length, SERIES_MAX + 1)
  assert.equal(failures.find(({ labels }) => labels['step'] === '(other)')?.value, 1000)
  assert.equal(
    failures.reduce((sum, { value }) => sum + value, 0),
    SERIES_MAX + 1000,
  )
  const counts = valuesOf('tappass_step_seconds').filter(
    ({ metricName }) => metricName === 'tappass_step_seconds_count',
  )
  assert.equal(counts.length, SERIES_MAX + 1)
  assert.equal(valuesOf('tappass_metrics_dropped_total')[0]?.value, 2000)
})

test('a histogram counts up to its buckets, by label', async () => {
  const meter = createPrometheus('1', () => 0)
  for (const [stage, seconds] of [
    ['request', 0.1],
    ['request', 0.4],
    ['request', 3],
    ['response', 0],
  ] as const)
    meter.observe('pipeline_seconds', seconds, stage)
  const text = await meter.render('text')
  const lines = text.split('\n').filter((line) => line.startsWith('tappass_pipeline_seconds'))
  for (const line of [
    'tappass_pipeline_seconds_bucket{gateway="1",stage="request",le="0.025"} 0',
    'tappass_pipeline_seconds_bucket{gateway="1",stage="request",le="0.1"} 1',
    'tappass_pipeline_seconds_bucket{gateway="1",stage="request",le="0.5"} 2',
    'tappass_pipeline_seconds_bucket{gateway="1",stage="request",le="+Inf"} 3',
    'tappass_pipeline_seconds_sum{gateway="1",stage="request"} 3.5',
    'tappass_pipeline_seconds_count{gateway="1",stage="request"} 3',
    'tappass_pipeline_seconds_count{gateway="1",stage="response"} 1',
  ])
    assert.ok(lines.includes(line), line)
})

test('any number may be a status: what is not registered is a class', async () => {
  const meter = createPrometheus('1', () => 0)
  for (let status = 100; status < 1000; status++)
    meter.countHttp({ method: 'GET', path: '/x', status, seconds: 0, isJudged: true, traceId: undefined })
  const requests = (await meter.families()).find(({ name }) => name === 'tappass_http_requests_total')
  assert.ok((requests?.values.length ?? 0) < 80, `${requests?.values.length}`)
})

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const traces = [
  [`00-${TRACE}-00f067aa0ba902b7-01`, true],
  [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, false],
  [`00-"} 1-00f067aa0ba902b7-01`, false],
] as const
for (const [traceparent, isShown] of traces)
  test(`OpenMetrics${isShown ? '' : ' without'} an exemplar: traceparent ${traceparent}`, async () => {
    const other = await startGateway()
    try {
      await other.post('/chat/completions', chat('hello'), { traceparent })
      const response = await other.admin('/metrics', {
        headers: { accept: 'application/openmetrics-text;version=1.0.0' },
      })
      const text = await response.text()
      assert.match(response.headers.get('content-type') ?? '', /^application\/openmetrics-text; version=1\.0\.0/)
      assert.ok(text.endsWith('# EOF\n'))
      assert.match(text, /^# TYPE tappass_http_requests counter$/m)
      assert.match(
        text,
        /^tappass_http_requests_total\{gateway="1",method="POST",path="\/chat\/completions",status="200"\} 1$/m,
      )
      const exemplar = /path="\/chat\/completions",le="[\d.]+"\} 1 # \{trace_id="([^"]+)"\} [\d.]+ [\d.]+$/m.exec(text)
      assert.equal(exemplar?.[1], isShown ? TRACE : undefined)
      assert.doesNotMatch(await (await other.admin('/metrics')).text(), /trace_id/)
    } finally {
      await other.close()
    }
  })

test('without a database there are metrics all the same, and they say so', async () => {
  const lost = await startGateway()
  await lost.database.close()
  try {
    const response = await lost.admin('/metrics')
    const text = await response.text()
    assert.equal(response.status, 200)
    assert.match(text, /^tappass_ready\{gateway="1"\} 0$/m)
    assert.match(text, /^tappass_dependency_up\{gateway="1",dependency="database"\} 0$/m)
    assert.match(text, /^tappass_dependency_up\{gateway="1",dependency="opa"\} 1$/m)
    assert.doesNotMatch(text, /^tappass_active_agents\{/m)
  } finally {
    await lost.close().catch(() => {})
  }
})

test('a scrape ends its connection, so that the next may meet another instance', async () => {
  assert.equal((await gateway.admin('/metrics')).headers.get('connection'), 'close')
})

test('a stream that is sent is counted as open, and one that its client breaks off is counted as well', async () => {
  const other = await startGateway()
  const told = Promise.withResolvers<void>()
  other.models.answer(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`data: ${JSON.stringify(chunk({ role: 'assistant', content: 'One sentence. And more. ' }))}\n\n`)
    await told.promise
    response.end()
  })
  const metricsOf = async (): Promise<string> => (await other.admin('/metrics')).text()
  try {
    const leaving = new AbortController()
    const stream = await fetch(`${other.url}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${other.agent.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...chat('hello'), stream: true }),
      signal: leaving.signal,
    })
    const during = await metricsOf()
    assert.equal(stream.status, 200)
    assert.match(during, /^tappass_http_streams_open\{gateway="1"\} 1$/m)
    // The scrape is one of them.
    assert.match(during, /^tappass_http_requests_in_flight\{gateway="1"\} 2$/m)
    assert.doesNotMatch(during, /path="\/chat\/completions",status=/)
    leaving.abort()
    // Half a connection is none that is closed: that nobody is there shows when something is written.
    told.resolve()
    let later = await metricsOf()
    while (!later.includes('tappass_http_streams_open{gateway="1"} 0')) later = await metricsOf()
    assert.match(
      later,
      /^tappass_http_requests_total\{gateway="1",method="POST",path="\/chat\/completions",status="200"\} 1$/m,
    )
  } finally {
    told.resolve()
    await other.close()
  }
})
