/** A stream's row as one whole answer: its chunks put together, as a model server answers when no stream was asked for. */

type Call = { id?: string; type?: string; function?: { name?: string; arguments?: string } }
type Delta = {
  content?: string
  refusal?: string
  reasoning_content?: string
  tool_calls?: readonly (Call & { index?: number })[]
}
type Choice = { index: number; delta: Delta; finish_reason: string | null }
type Chunk = { id: string; created: number; model: string; choices: readonly Choice[]; usage?: object }

const USAGE = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }

function toolCallsOf(deltas: readonly Delta[]): readonly Call[] | undefined {
  const pieces = deltas.flatMap(({ tool_calls = [] }) => tool_calls)
  if (pieces.length === 0) return undefined
  return [...Map.groupBy(pieces, ({ index, id }) => index ?? id).values()].map((own) => ({
    id: own[0]?.id ?? '',
    type: 'function',
    function: {
      name: own[0]?.function?.name ?? '',
      arguments: own.map((piece) => piece.function?.arguments ?? '').join(''),
    },
  }))
}

function choiceOf(own: readonly Choice[]): object {
  const deltas = own.map(({ delta }) => delta)
  const textOf = (name: 'content' | 'refusal' | 'reasoning_content'): string | null =>
    deltas.map((delta) => delta[name] ?? '').join('') || null
  const reasoning = textOf('reasoning_content')
  const calls = toolCallsOf(deltas)
  return {
    index: own[0]?.index,
    message: {
      role: 'assistant',
      content: textOf('content'),
      refusal: textOf('refusal'),
      ...(reasoning !== null && { reasoning_content: reasoning }),
      ...(calls !== undefined && { tool_calls: calls }),
    },
    logprobs: null,
    finish_reason: own.findLast(({ finish_reason }) => finish_reason)?.finish_reason ?? 'stop',
  }
}

/** The whole answer. */
export function wholeOf(turn: readonly (object | string)[]): object {
  const chunks = turn.filter((part): part is Chunk => typeof part === 'object' && 'choices' in part)
  const choices = Map.groupBy(
    chunks.flatMap((one) => one.choices),
    ({ index }) => index,
  )
  const { id, created, model } = chunks[0] as Chunk
  return { id, object: 'chat.completion', created, model, choices: [...choices.values()].map(choiceOf), usage: USAGE }
}

/** The text of the first choice, as the older completions answer it: whole, or in the pieces of the stream. */
export function textsOf(turn: readonly (object | string)[]): readonly string[] {
  const chunks = turn.filter((part): part is Chunk => typeof part === 'object' && 'choices' in part)
  return chunks.flatMap(({ choices }) => choices.flatMap(({ delta }) => delta.content || []))
}
