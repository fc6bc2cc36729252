/** Features of the `openai` client for JavaScript. */
import OpenAI from 'openai'
import type { ChatCompletionStreamParams } from 'openai/lib/ChatCompletionStream'
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat'
import type { Place } from './both-ways.ts'
import type { Asked, Feature } from './driver.ts'

const clientOf = ({ baseURL, apiKey, retries = 0, headers = {} }: Asked & Place): OpenAI =>
  new OpenAI({ baseURL, apiKey, maxRetries: retries, defaultHeaders: headers })
const bodyOf = ({ model, content = 'hello' }: Asked): ChatCompletionCreateParamsNonStreaming =>
  ({ model, messages: [{ role: 'user', content }] }) as ChatCompletionCreateParamsNonStreaming

const parameters = (name: string) => ({
  type: 'object',
  properties: { [name]: { type: 'string' } },
  required: [name],
  additionalProperties: false,
})
const withTools = (asked: Asked): ChatCompletionStreamParams => ({
  ...bodyOf(asked),
  stream: true,
  stream_options: { include_usage: true },
  tools: [
    { type: 'function', function: { name: 'get_weather', strict: true, parameters: parameters('city') } },
    { type: 'function', function: { name: 'get_time', strict: true, parameters: parameters('zone') } },
  ],
})

const EVENTS = [
  'content.delta',
  'content.done',
  'refusal.delta',
  'refusal.done',
  'tool_calls.function.arguments.delta',
  'tool_calls.function.arguments.done',
] as const

const trip = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'array', items: { type: 'integer' } } },
  required: ['city', 'days'],
  additionalProperties: false,
}

const runTools: Feature = async (asked, tell) => {
  const tool = (name: string, parameter: string) => ({
    type: 'function' as const,
    function: {
      name,
      description: name,
      parameters: parameters(parameter),
      parse: JSON.parse,
      function: async (given: unknown) => {
        tell([name, given])
        return 'done'
      },
    },
  })
  const runner = clientOf(asked).chat.completions.runTools({
    model: asked.model,
    stream: true,
    messages: [{ role: 'user', content: 'hello' }],
    tools: [tool('get_weather', 'city'), tool('get_time', 'zone')],
  })
  const content = await runner.finalContent()
  return { content, messages: runner.messages.map(({ role }) => role) }
}

/** The features, by name. */
export const OPENAI_FEATURES: Readonly<Record<string, Feature>> = {
  chat: (asked) => clientOf(asked).chat.completions.create(bodyOf(asked)),
  chunks: async (asked, tell) => {
    for await (const chunk of await clientOf(asked).chat.completions.create({ ...withTools(asked), stream: true }))
      tell(chunk)
  },
  streamHelper: async (asked, tell) => {
    const stream = clientOf(asked).chat.completions.stream(withTools(asked))
    for (const name of EVENTS) stream.on(name, (event: unknown) => tell([name, event]))
    return await stream.finalChatCompletion()
  },
  streamFinal: (asked) => clientOf(asked).chat.completions.stream(withTools(asked)).finalChatCompletion(),
  runTools,
  parse: async (asked) => {
    const response_format = { type: 'json_schema', json_schema: { name: 'trip', strict: true, schema: trip } } as const
    const parsed = await clientOf(asked).chat.completions.parse({ ...bodyOf(asked), response_format })
    return parsed.choices[0]?.message
  },
  completions: (asked) => clientOf(asked).completions.create({ model: asked.model, prompt: 'hello' }),
  completionsStream: async (asked, tell) => {
    const stream = await clientOf(asked).completions.create({ model: asked.model, prompt: 'hello', stream: true })
    for await (const chunk of stream) tell(chunk)
  },
  embeddings: (asked) => clientOf(asked).embeddings.create({ model: asked.model, input: ['one', 'three'] }),
  embeddingsAsNumbers: (asked) =>
    clientOf(asked).embeddings.create({ model: asked.model, input: 'two', encoding_format: 'float' }),
  models: async (asked) => (await clientOf(asked).models.list()).data.map(({ id }) => id),
  model: (asked) => clientOf(asked).models.retrieve(asked.model),
  get: (asked) => clientOf(asked).get('/chat/completions'),
  redacted: async (asked) => {
    const { data, response } = await clientOf(asked).chat.completions.create(bodyOf(asked)).withResponse()
    return { text: data.choices[0]?.message.content, header: response.headers.get('x-tappass-redacted'), data }
  },
}
