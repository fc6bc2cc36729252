/** An answer that came as a whole although a stream was asked for, as the stream that its client reads. */
import type { AnsweredResult, StreamedResult, StreamTexts } from '../pipeline/call-result.ts'
import { formatEvent } from '../protocol/sse.ts'
import { isObject, type JsonObject, TOKEN_LISTS } from '../protocol/stream-chunk.ts'

/**
 * Given a judged answer and its body, returns it as a stream: one chunk, and one more for the usage. An
 * answer that is an error becomes its event, and a list (of embeddings) stays what it is. Undefined for any other body.
 */
export function streamOfAnswer(body: unknown, answer: AnsweredResult): AnsweredResult | StreamedResult | undefined {
  if (!isObject(body)) return undefined
  if (body['object'] === 'list') return answer
  const chunks = body['error'] ? [{ error: body['error'] }] : chunksOf(body)
  const { note, upstream } = answer
  return chunks && { status: 'streamed', texts: textsOf(chunks, !body['error']), note, upstream }
}

async function* textsOf(chunks: readonly object[], isComplete: boolean): StreamTexts {
  const events = chunks.map((chunk) => formatEvent(JSON.stringify(chunk)))
  yield events.join('') + (isComplete ? formatEvent('[DONE]') : '')
  return isComplete
}

function chunksOf({ usage, tappass: _own, ...body }: JsonObject): readonly JsonObject[] | undefined {
  const choices = body['choices']
  if (!Array.isArray(choices) || !choices.every(isObject)) return undefined
  const object = body['object'] === 'chat.completion' ? { object: 'chat.completion.chunk' } : {}
  const chunk = { ...body, ...object, choices: choices.map(deltaChoice) }
  return isObject(usage) ? [chunk, { ...body, ...object, choices: [], usage }] : [chunk]
}

/** A choice with its message as a delta. Token lists are not sent in streams. */
function deltaChoice(choice: JsonObject, place: number): JsonObject {
  const members = Object.entries(choice).map(([name, value]): readonly [string, unknown] => {
    if (TOKEN_LISTS.has(name)) return [name, null]
    return name === 'message' && isObject(value) ? ['delta', deltaOf(value)] : [name, value]
  })
  return { index: place, ...Object.fromEntries(members) }
}

/** A message with numbered tool calls, as clients join them by number. */
function deltaOf(message: JsonObject): JsonObject {
  const calls = message['tool_calls']
  if (!Array.isArray(calls)) return message
  return { ...message, tool_calls: calls.map((call: unknown, index) => (isObject(call) ? { index, ...call } : call)) }
}
