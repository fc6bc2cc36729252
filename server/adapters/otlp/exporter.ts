/** Sends spans to a collector, as OTLP over HTTP or gRPC. */
import { ExportResultCode } from '@opentelemetry/core'
import {
  createOtlpNetworkExportDelegate,
  ExporterMetrics,
  type IOtlpExportDelegate,
  OTLPExporterBase,
} from '@opentelemetry/otlp-exporter-base'
import { createOtlpHttpExportDelegate, httpAgentFactoryFromOptions } from '@opentelemetry/otlp-exporter-base/node-http'
import { ProtobufTraceSerializer, TraceExporterMetricsHelper } from '@opentelemetry/otlp-transformer'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import { createGrpcTransport } from './grpc-transport.ts'

/** The collector, how it is spoken with, and what it has to be told. */
export type ExporterOptions = Readonly<{
  endpoint: string
  protocol: 'http/protobuf' | 'grpc'
  headers: Readonly<Record<string, string>>
}>

/** What an exporter tells. */
export type ExportEvents = Readonly<{
  spans: (count: number, outcome: 'exported' | 'failed') => void
  fault: (cause: Error) => void
}>

const SHARED = { concurrencyLimit: 8, compression: 'gzip' } as const

/** Creates it. A batch is sent, and sent again, for `timeoutMillis` at most. `on.fault` is called when the collector stops taking spans, not again for each batch. */
export function createExporter(options: ExporterOptions, timeoutMillis: number, on: ExportEvents): SpanExporter {
  const exporter = new OTLPExporterBase(delegateOf(options, { ...SHARED, timeoutMillis }))
  let isFaulty = false
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const isTaken = result.code === ExportResultCode.SUCCESS
        on.spans(spans.length, isTaken ? 'exported' : 'failed')
        if (!isTaken && !isFaulty) on.fault(result.error ?? new Error('the collector takes no traces'))
        isFaulty = !isTaken
        done(result)
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  }
}

type Shared = typeof SHARED & Readonly<{ timeoutMillis: number }>

function delegateOf(options: ExporterOptions, shared: Shared): IOtlpExportDelegate<ReadableSpan[]> {
  return options.protocol === 'grpc' ? grpcDelegate(options, shared) : httpDelegate(options, shared)
}

function httpDelegate({ endpoint, headers }: ExporterOptions, shared: Shared): IOtlpExportDelegate<ReadableSpan[]> {
  return createOtlpHttpExportDelegate(
    {
      ...shared,
      url: `${endpoint}/v1/traces`,
      headers: async () => ({ ...headers, 'Content-Type': 'application/x-protobuf' }),
      agentFactory: httpAgentFactoryFromOptions({ keepAlive: true }),
    },
    ProtobufTraceSerializer,
    'otlp_http_span_exporter',
    TraceExporterMetricsHelper,
    undefined,
  )
}

function grpcDelegate({ endpoint, headers }: ExporterOptions, shared: Shared): IOtlpExportDelegate<ReadableSpan[]> {
  const metrics = new ExporterMetrics<ReadableSpan[]>({
    componentType: 'otlp_grpc_span_exporter',
    metricsHelper: TraceExporterMetricsHelper,
    url: endpoint,
    meterProvider: undefined,
    responseAttributesFromError: () => ({}),
  })
  return createOtlpNetworkExportDelegate(
    shared,
    ProtobufTraceSerializer,
    metrics,
    createGrpcTransport(endpoint, headers),
  )
}
