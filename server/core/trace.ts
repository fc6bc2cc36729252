/**
 * The trace of a call (W3C Trace Context, OpenTelemetry): its spans, and all that they may say. docs/reference/traces.md is made from the tables.
 * No attribute has text of a call, a key, or a value that a finding points at; the model's name is as the ledger has it.
 */

/** The spans of a call. */
export const SPANS = {
  call: { name: 'METHOD ROUTE', kind: 'server', says: 'A governed call, from its head to the last byte of its answer' },
  step: {
    name: 'step NAME',
    kind: 'internal',
    says: 'A step over the request, or over the answer (of a stream: a batch)',
  },
  policy: { name: 'policy', kind: 'internal', says: 'A decision of the policy engine' },
  ledger: { name: 'ledger append', kind: 'internal', says: 'Until an entry was durable' },
  upstream: {
    name: 'OPERATION MODEL',
    kind: 'client',
    says: 'The model server, until its answer was read; of a stream, until it began',
  },
} as const

/** Which span it is. */
export type SpanType = keyof typeof SPANS

type Attribute = Readonly<{ of: readonly SpanType[]; says: string }>

/** Names without `tappass.` are those of OpenTelemetry's semantic conventions; `gen_ai.*` stand here and nowhere else. */
export const SPAN_ATTRIBUTES = {
  'http.request.method': { of: ['call'], says: 'Method' },
  'http.route': { of: ['call'], says: 'Pattern of the route, without `/v1`' },
  'http.response.status_code': { of: ['call', 'upstream'], says: 'Status of the answer; 499: the client went away' },
  'error.type': {
    of: ['call', 'step', 'policy', 'ledger', 'upstream'],
    says: 'Why it failed: a status, a code of the table of errors, or the name of an error; never its message',
  },
  'gen_ai.operation.name': { of: ['upstream'], says: '`chat`, `text_completion` or `embeddings`' },
  'gen_ai.provider.name': {
    of: ['upstream'],
    says: "`openai`, `azure.ai.openai`, or the model server's host",
  },
  'gen_ai.request.model': {
    of: ['upstream'],
    says: 'Model, as the ledger has it: `(withheld)` where a detector found something in it',
  },
  'gen_ai.usage.input_tokens': {
    of: ['upstream'],
    says: 'Tokens of the prompt, where the answer is no stream and says so',
  },
  'gen_ai.usage.output_tokens': { of: ['upstream'], says: 'Tokens of the answer, likewise' },
  'server.address': { of: ['upstream'], says: 'Host of the model server' },
  'server.port': { of: ['upstream'], says: 'Its port, where the address has one' },
  'tappass.call.id': { of: ['call'], says: 'Id of the call, as in the ledger and in `x-request-id`' },
  'tappass.classification': { of: ['call', 'policy'], says: 'Classification' },
  'tappass.stage': { of: ['step', 'policy'], says: '`request` or `response`' },
  'tappass.step.status': { of: ['step'], says: '`done` or `failed`; a step that was skipped has no span' },
  'tappass.step.findings': { of: ['step'], says: 'How many findings; not what was found' },
  'tappass.action': { of: ['policy'], says: 'What the policy decided: `allow`, `redact`, `block`, `hold`' },
  'tappass.entry.type': { of: ['ledger'], says: 'Type of the entry' },
  'tappass.stream': { of: ['upstream'], says: 'Whether a stream was asked for' },
  'tappass.spans.omitted': {
    of: ['call'],
    says: 'Spans that a long stream had beyond those that are kept of one call',
  },
} as const satisfies Readonly<Record<string, Attribute>>

/** The name of an attribute. */
export type AttributeName = keyof typeof SPAN_ATTRIBUTES

/** What a span says. */
export type SpanAttributes = Readonly<Partial<Record<AttributeName, string | number | boolean>>>

/** A span that is over; times are those of the process's monotonic clock. */
export type EndedSpan = Readonly<{
  type: SpanType
  name: string
  startMs: number
  endMs: number
  attributes: SpanAttributes
}>

/** A span of a request to somebody else, who gets `traceparent`. */
export type OpenSpan = Readonly<{ traceparent: string; end: (attributes: SpanAttributes) => void }>

/** The trace of one call. `span` is there where it is recorded; what it would say is not even put together elsewhere. */
export type CallTrace = Readonly<{
  id: string
  span?: (span: EndedSpan) => void
  begin: (type: SpanType, name: string, attributes: SpanAttributes) => OpenSpan
  end: (attributes: SpanAttributes) => void
}>

/** A call whose trace begins; `parent` is its caller's span. */
export type TracedCall = Readonly<{
  name: string
  startMs: number
  parent: TraceParent | undefined
  attributes: SpanAttributes
}>

/** Records traces. Never throws and never waits: what can't be delivered is dropped and counted. */
export type Tracer = Readonly<{ start: (call: TracedCall) => CallTrace; close: () => Promise<void> }>

/** What a `traceparent` says. */
export type TraceParent = Readonly<{ traceId: string; spanId: string; isSampled: boolean }>

const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-|$)/

/** Reads the header `traceparent` (W3C Trace Context, level 1); undefined for one that is none. */
export function parseTraceparent(header: unknown): TraceParent | undefined {
  if (typeof header !== 'string') return undefined
  const [, traceId, spanId, flags = ''] = TRACEPARENT.exec(header) ?? []
  if (traceId === undefined || spanId === undefined) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** Writes one. */
export function formatTraceparent({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`
}
