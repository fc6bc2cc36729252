/**
 * Records traces with OpenTelemetry's SDK and sends them to a collector. This file and what it imports are loaded where a setting asks
 * for traces, and nowhere else. Who waits for the collector is a queue with a bound; what it has no room for is dropped and counted.
 */
import { hostname } from 'node:os'
import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Clock } from '../../core/ports.ts'
import {
  type CallTrace,
  type EndedSpan,
  formatTraceparent,
  SPANS,
  type SpanAttributes,
  type TracedCall,
  type TraceParent,
  type Tracer,
} from '../../core/trace.ts'
import { createExporter, type ExporterOptions } from './exporter.ts'
import { countingMeter } from './queue-meter.ts'
import { createSampler, type Sampling } from './sampler.ts'

/** Spans that wait for the collector, at most; a call has some forty. */
const QUEUE_SPANS_MAX = 4096

/** Spans that are sent at once. */
const BATCH_SPANS_MAX = 512

/** Spans of one call, at most: a long stream has hundreds of batches. */
const CALL_SPANS_MAX = 1000

/** Longest name of a span, and longest text of an attribute: a model may have any. */
const TEXT_CHARS_MAX = 256

/** How long spans wait for more, how long a batch is sent and sent again, and how long a stop waits for the collector. */
type Times = Readonly<{ batchMs: number; sendMs: number; closeMs: number }>
const TIMES: Times = { batchMs: 1000, sendMs: 10_000, closeMs: 2000 }

/** Of which service traces are, where they go, and which. */
export type TracerOptions = ExporterOptions &
  Sampling &
  Readonly<{ serviceName: string; version: string; instance: string; times?: Times }>

/** What a tracer tells: spans by what became of them, and, when it begins, that the collector does not take any. */
export type TraceEvents = Readonly<{
  spans: (count: number, outcome: 'exported' | 'failed' | 'dropped') => void
  fault: (cause: Error) => void
}>

type SdkTracer = ReturnType<TracerProvider['getTracer']>

/** Creates a tracer. */
export function createOtlpTracer(options: TracerOptions, clock: Clock, on: TraceEvents): Tracer {
  const { serviceName, version, instance, times = TIMES } = options
  const processor = new BatchSpanProcessor({
    exporter: createExporter(options, times.sendMs, on),
    maxQueueSize: QUEUE_SPANS_MAX,
    maxExportBatchSize: BATCH_SPANS_MAX,
    scheduledDelayMillis: times.batchMs,
    selfObsMeterProvider: countingMeter((count) => on.spans(count, 'dropped')),
  })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': serviceName,
      'service.version': version,
      'service.instance.id': `${hostname()}/${instance}`,
      'host.name': hostname(),
    }),
    sampler: createSampler(options),
    spanLimits: { attributeValueLengthLimit: TEXT_CHARS_MAX },
    spanProcessors: [processor],
  })
  const tracer = provider.getTracer('tappass', version)
  return {
    start: (call) => startTrace(tracer, call, clock),
    close: async () => {
      const late = new Promise<void>((resolve) => setTimeout(resolve, times.closeMs).unref())
      await Promise.race([provider.shutdown().catch(() => {}), late])
    },
  }
}

function startTrace(tracer: SdkTracer, { name, startMs, parent, attributes }: TracedCall, clock: Clock): CallTrace {
  const epochMs = clock.nowMs() - clock.elapsedMs()
  const root = tracer.startSpan(
    name,
    { kind: kindOf('call'), startTime: epochMs + startMs, attributes: { ...attributes } },
    parentContext(parent),
  )
  const { traceId } = root.spanContext()
  if (!root.isRecording()) {
    // Whoever comes next is told that nobody records, and of which trace.
    const traceparent = traceparentOf(root)
    return { id: traceId, begin: () => ({ traceparent, end: () => {} }), end: () => {} }
  }
  const inside = trace.setSpan(ROOT_CONTEXT, root)
  let spans = 0
  const begin = (type: EndedSpan['type'], spanName: string, spanAttributes: SpanAttributes, beginMs: number): Span => {
    spans++
    const options = { kind: kindOf(type), startTime: epochMs + beginMs, attributes: { ...spanAttributes } }
    return tracer.startSpan(spanName.slice(0, TEXT_CHARS_MAX), options, inside)
  }
  return {
    id: traceId,
    span: ({ type, name: spanName, startMs: beginMs, endMs, attributes: spanAttributes }) => {
      if (spans < CALL_SPANS_MAX) end(begin(type, spanName, spanAttributes, beginMs), spanAttributes, epochMs + endMs)
      else spans++
    },
    begin: (type, spanName, spanAttributes) => {
      const span = begin(type, spanName, spanAttributes, clock.elapsedMs())
      return {
        traceparent: traceparentOf(span),
        end: (more) => end(span.setAttributes({ ...more }), more, epochMs + clock.elapsedMs()),
      }
    },
    end: (more) => {
      const omitted = spans > CALL_SPANS_MAX ? { 'tappass.spans.omitted': spans - CALL_SPANS_MAX } : {}
      end(root.setAttributes({ ...more, ...omitted }), more, epochMs + clock.elapsedMs())
    },
  }
}

function end(span: Span, { 'error.type': error }: SpanAttributes, endMs: number): void {
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end(endMs)
}

function kindOf(type: EndedSpan['type']): SpanKind {
  return { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL }[SPANS[type].kind]
}

function parentContext(parent: TraceParent | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT
  const { traceId, spanId, isSampled } = parent
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
}

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return formatTraceparent({ traceId, spanId, isSampled: (traceFlags & TraceFlags.SAMPLED) !== 0 })
}
