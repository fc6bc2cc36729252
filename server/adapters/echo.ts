/**
 * The built-in model `echo`: repeats its input, and says so. It needs no provider, so that a first governed call
 * works offline.
 */

import type { Clock, Upstream, UpstreamResponse } from '../core/ports.ts'
import { readBytes } from '../protocol/upstream-response.ts'

const PREFIX = "This is TapPass's built-in echo model; no AI has read this. You said: "

type JsonObject = Readonly<Record<string, unknown>>

/** Creates the model. The clock timestamps its responses. */
export function createEcho(clock: Clock): Upstream {
  return {
    name: 'echo',
    forward: async (path, body, callId) => {
      if (path === '/models')
        return json(200, { object: 'list', data: [{ id: 'echo', object: 'model', created: 0, owned_by: 'tappass' }] })
      if (path !== '/chat/completions' && path !== '/completions') return json(404, notFound(path))
      const request = JSON.parse(body ?? '{}') as JsonObject
      const isChat = path === '/chat/completions'
      const text = PREFIX + (isChat ? lastMessage(request['messages']) : textOf(request['prompt']))
      const head = {
        id: `${isChat ? 'chatcmpl' : 'cmpl'}-${callId}`,
        created: Math.floor(clock.nowMs() / 1000),
        model: 'echo',
      }
      const usage = usageOf(body ?? '', text)
      if (request['stream'] !== true) return json(200, completion(isChat, head, text, usage))
      const options = request['stream_options'] as { include_usage?: unknown } | undefined
      return stream(chunks(isChat, head, text, options?.include_usage === true ? usage : undefined))
    },
    close: async () => {},
  }
}

/** The text of the last message that is not a system message. */
function lastMessage(messages: unknown): string {
  const conversation = Array.isArray(messages) ? messages.filter((message) => message?.role !== 'system') : []
  return textOf(conversation.at(-1)?.content)
}

/** The text of a content: a string, or the text parts of a list. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map((part) => (typeof part === 'string' ? part : typeof part?.text === 'string' ? part.text : ''))
    .join(' ')
}

/** Counts words, as there is no tokenizer here. */
function usageOf(request: string, response: string): object {
  const words = (text: string): number => text.split(/\s+/).filter(Boolean).length
  const [prompt, completion] = [words(request), words(response)]
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}

function completion(isChat: boolean, head: object, text: string, usage: object): object {
  const content = isChat ? { message: { role: 'assistant', content: text, refusal: null } } : { text }
  const choice = { index: 0, ...content, logprobs: null, finish_reason: 'stop' }
  return { ...head, object: isChat ? 'chat.completion' : 'text_completion', choices: [choice], usage }
}

/** The chunks of a streamed response: role, content word by word, finish reason, usage. */
function* chunks(isChat: boolean, head: object, text: string, usage: object | undefined): Generator<string> {
  const chunk = (choice: object): string =>
    JSON.stringify({
      ...head,
      object: isChat ? 'chat.completion.chunk' : 'text_completion',
      choices: [{ index: 0, ...choice }],
    })
  if (isChat) yield chunk({ delta: { role: 'assistant', content: '' }, finish_reason: null })
  for (const word of text.match(/\s*\S+\s*$|\s*\S+/g) ?? []) {
    yield chunk({ ...(isChat ? { delta: { content: word } } : { text: word }), finish_reason: null })
  }
  yield chunk({ ...(isChat ? { delta: {} } : { text: '' }), finish_reason: 'stop' })
  if (usage) yield JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage })
  yield '[DONE]'
}

function stream(events: Iterable<string>): UpstreamResponse {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const event of events) yield Buffer.from(`data: ${event}\n\n`)
  }
  return responseOf(200, 'text/event-stream', bytes())
}

function json(status: number, body: object): UpstreamResponse {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(JSON.stringify(body))
  }
  return responseOf(status, 'application/json', bytes())
}

function responseOf(status: number, type: string, body: AsyncIterable<Uint8Array>): UpstreamResponse {
  return { status, headers: { 'content-type': type }, body, bytes: (bodyBytesMax) => readBytes(body, bodyBytesMax) }
}

function notFound(path: string): object {
  const message = `The model echo has no ${path}.`
  return { error: { message, type: 'invalid_request_error', param: 'model', code: 'model_not_found' } }
}
