/** The span of a request to a model server, by the semantic conventions for generative AI. It says no text of either side. */
import type { Call } from '../core/call.ts'
import type { GovernedPath } from '../core/governed-path.ts'
import type { OpenSpan, SpanAttributes } from '../core/trace.ts'
import type { ResponseContent } from '../protocol/upstream-response.ts'

/** The conventions' names of operations. */
const OPERATIONS: Readonly<Record<GovernedPath, string>> = {
  '/chat/completions': 'chat',
  '/completions': 'text_completion',
  '/embeddings': 'embeddings',
}

/** Begins it; undefined where the call has no trace. `name` is the model server's: its host, and its port where it is not the usual one. */
export function beginSpan(
  { trace, model, isStream }: Pick<Call, 'trace' | 'model' | 'isStream'>,
  path: GovernedPath,
  name: string,
): OpenSpan | undefined {
  if (trace === undefined) return undefined
  const operation = OPERATIONS[path]
  return trace.begin('upstream', `${operation} ${model}`, {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': providerOf(name),
    'gen_ai.request.model': model,
    'tappass.stream': isStream,
    ...addressOf(name),
  })
}

/** What its answer says of itself: a status, and numbers. */
export function answeredAs(status: number, content: ResponseContent): SpanAttributes {
  const failure =
    content.kind === 'body' || content.kind === 'stream'
      ? {}
      : { 'error.type': content.kind === 'malformed' ? 'upstream.malformed' : String(status) }
  return { 'http.response.status_code': status, ...(content.kind === 'body' ? usageOf(content.body) : {}), ...failure }
}

/** The conventions demand their own name for who has one. */
function providerOf(name: string): string {
  if (name === 'api.openai.com') return 'openai'
  return name.endsWith('.openai.azure.com') ? 'azure.ai.openai' : name
}

function addressOf(name: string): SpanAttributes {
  const [, host = name, port] = /^(.*?)(?::(\d+))?$/.exec(name) ?? []
  return { 'server.address': host, ...(port === undefined ? {} : { 'server.port': Number(port) }) }
}

function usageOf(body: object | undefined): SpanAttributes {
  const { usage } = (body ?? {}) as { usage?: { prompt_tokens?: unknown; completion_tokens?: unknown } | null }
  const [input, output] = [usage?.prompt_tokens, usage?.completion_tokens]
  return {
    ...(isCount(input) ? { 'gen_ai.usage.input_tokens': input } : {}),
    ...(isCount(output) ? { 'gen_ai.usage.output_tokens': output } : {}),
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
