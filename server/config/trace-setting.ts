/** The settings of traces, under the names and with the defaults of OpenTelemetry. */
import * as v from 'valibot'
import { TRACE_TERMS } from '../../contract/gateway.ts'
import { isPrivateHost } from '../../contract/private-network.ts'
import { url } from './setting-form.ts'

/** Where traces go, and which of them. `headers` are secret. */
export type TraceConfig = Readonly<{
  endpoint: string
  protocol: (typeof TRACE_TERMS)['protocols'][number]
  headers: Readonly<Record<string, string>>
  serviceName: string
  sampler: (typeof TRACE_TERMS)['samplers'][number]
  /** Which share of the traces, from 0 to 1, where the sampler asks for one. */
  share: number
}>

/** The forms of the settings. */
export const TRACE_SETTINGS = {
  OTEL_EXPORTER_OTLP_ENDPOINT: v.optional(
    v.pipe(
      url('http:', 'https:'),
      v.check((text) => !text.includes('@'), 'has a user or a password in it: give OTEL_EXPORTER_OTLP_HEADERS'),
    ),
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: v.optional(
    v.picklist(TRACE_TERMS.protocols, `is none of ${TRACE_TERMS.protocols.join(', ')}`),
    'http/protobuf',
  ),
  OTEL_SERVICE_NAME: v.optional(
    v.pipe(v.string(), v.regex(/^[\w./-]{1,128}$/, 'has more than letters, digits and _ . / -')),
    'tappass',
  ),
  OTEL_TRACES_SAMPLER: v.optional(
    v.picklist(TRACE_TERMS.samplers, `is none of ${TRACE_TERMS.samplers.join(', ')}`),
    'parentbased_always_on',
  ),
  OTEL_TRACES_SAMPLER_ARG: v.optional(
    v.pipe(v.string(), v.regex(/^(?:0|1|0?\.\d{1,9}|1\.0+)$/, 'is no share from 0 to 1'), v.transform(Number)),
    '1',
  ),
} as const

type TraceSettings = v.InferOutput<v.ObjectSchema<typeof TRACE_SETTINGS, undefined>>

/** Returns the configuration of valid settings; undefined without an endpoint, and then nothing of OpenTelemetry is loaded. */
export function tracesOf(settings: TraceSettings, headers: string | undefined): TraceConfig | undefined {
  if (settings.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return undefined
  return {
    endpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/+$/, ''),
    protocol: settings.OTEL_EXPORTER_OTLP_PROTOCOL,
    headers: headersOf(headers ?? ''),
    serviceName: settings.OTEL_SERVICE_NAME,
    sampler: settings.OTEL_TRACES_SAMPLER,
    share: settings.OTEL_TRACES_SAMPLER_ARG,
  }
}

/** Warnings about the way there. */
export function traceWarnings(endpoint: string | undefined, headers: string | undefined): readonly string[] {
  if (!endpoint || !headers) return []
  const { protocol, hostname } = new URL(endpoint)
  if (protocol === 'https:' || isPrivateHost(hostname)) return []
  return [
    `OTEL_EXPORTER_OTLP_HEADERS travel unencrypted to ${hostname}: give OTEL_EXPORTER_OTLP_ENDPOINT with https://`,
  ]
}

/** Pairs as in W3C Baggage: `name=value,name=value`, percent-encoded. Their form was checked with the secret. */
function headersOf(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').filter((pair) => pair.includes('='))
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at).trim().toLowerCase(), decodeURIComponent(pair.slice(at + 1).trim())]
    }),
  )
}
