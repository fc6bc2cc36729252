/** The real OpenTelemetry Collector as a process: it receives OTLP over HTTP and gRPC and writes what came to a file, as JSON. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../../free-port.ts'
import { cachePath } from '../../../lab/setting.ts'

type Value = Readonly<{ stringValue?: string; intValue?: string; boolValue?: boolean; doubleValue?: number }>
type KeyValue = Readonly<{ key: string; value: Value }>

/** A span as it arrived; times are nanoseconds. */
export type ArrivedSpan = Readonly<{
  name: string
  kind: number
  traceId: string
  spanId: string
  parentSpanId?: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: Readonly<Record<string, string | number | boolean | undefined>>
  resource: Readonly<Record<string, string | number | boolean | undefined>>
  isError: boolean
}>

/** A collector; `spans` are those of a trace that have arrived, once there is one with this name. */
export type Collector = Readonly<{
  url: Readonly<Record<'http/protobuf' | 'grpc', string>>
  text: () => string
  spans: (traceId: string, awaited: string) => Promise<readonly ArrivedSpan[]>
  close: () => Promise<void>
}>

const configuration = (http: number, grpc: number, path: string): string => `
receivers:
  otlp:
    protocols:
      http: { endpoint: "127.0.0.1:${http}" }
      grpc: { endpoint: "127.0.0.1:${grpc}" }
exporters:
  file: { path: ${JSON.stringify(path)} }
service:
  pipelines:
    traces: { receivers: [otlp], exporters: [file] }
`

/** Starts one on free ports; it is up when both answer. */
export async function startCollector(): Promise<Collector> {
  const folder = mkdtempSync(join(tmpdir(), 'otel-collector-'))
  const [http, grpc] = [await freePort(), await freePort()]
  const [config, path] = [join(folder, 'config.yaml'), join(folder, 'traces.json')]
  writeFileSync(config, configuration(http, grpc, path))
  const program = cachePath('go', 'otel-collector')
  const child = spawn(program, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.on('data', (part) => {
    log += String(part)
  })
  const exited = once(child, 'exit')
  for (const port of [http, grpc]) {
    while (!(await isOpen(port))) {
      if (child.exitCode !== null) throw new Error(`the collector has ended:\n${log}`)
      await sleep(20)
    }
  }
  const text = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '')
  return {
    url: { 'http/protobuf': `http://127.0.0.1:${http}`, grpc: `http://127.0.0.1:${grpc}` },
    text,
    spans: async (traceId, awaited) => {
      for (;;) {
        const spans = arrivedIn(text()).filter((span) => span.traceId === traceId)
        if (spans.some(({ name }) => name === awaited)) return spans
        await sleep(50)
      }
    },
    close: async () => {
      child.kill()
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

type Line = Readonly<{
  resourceSpans: readonly Readonly<{
    resource: Readonly<{ attributes: readonly KeyValue[] }>
    scopeSpans: readonly Readonly<{
      spans: readonly (Omit<ArrivedSpan, 'attributes' | 'resource' | 'isError'> &
        Readonly<{ attributes?: readonly KeyValue[]; status?: Readonly<{ code?: number }> }>)[]
    }>[]
  }>[]
}>

/** A line that is still being written is left for the next look. */
function arrivedIn(text: string): readonly ArrivedSpan[] {
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
  return lines
    .flatMap((line) => (JSON.parse(line) as Line).resourceSpans)
    .flatMap(({ resource, scopeSpans }) =>
      scopeSpans
        .flatMap(({ spans }) => spans)
        .map(({ attributes = [], status, ...span }) => ({
          ...span,
          attributes: plain(attributes),
          resource: plain(resource.attributes),
          isError: status?.code === 2,
        })),
    )
}

function plain(pairs: readonly KeyValue[]): ArrivedSpan['attributes'] {
  return Object.fromEntries(
    pairs.map(({ key, value: { stringValue, intValue, boolValue, doubleValue } }) => [
      key,
      stringValue ?? boolValue ?? doubleValue ?? (intValue === undefined ? undefined : Number(intValue)),
    ]),
  )
}
