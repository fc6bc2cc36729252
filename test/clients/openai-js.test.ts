/** The `openai` client for JavaScript reads streams through the gateway as it reads them without: the same events in the same order. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import type { ChatCompletionStreamParams } from 'openai/lib/ChatCompletionStream'
import { type BothWays, type Place, startBothWays } from './both-ways.ts'
import { STREAM_ROWS } from './stream-rows.ts'

let ways: BothWays
before(async () => {
  ways = await startBothWays()
})
after(() => ways.close())

const parameters = (name: string) => ({
  type: 'object',
  properties: { [name]: { type: 'string' } },
  required: [name],
  additionalProperties: false,
})
const asked = (model: string): ChatCompletionStreamParams => ({
  model,
  messages: [{ role: 'user', content: 'hello' }],
  stream_options: { include_usage: true },
  tools: [
    { type: 'function', function: { name: 'get_weather', strict: true, parameters: parameters('city') } },
    { type: 'function', function: { name: 'get_time', strict: true, parameters: parameters('zone') } },
  ],
})

type Feature = (client: OpenAI, model: string) => Promise<unknown>

/** What goes wrong is an outcome too. */
const outcome = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await work()
  } catch (error) {
    const { name, message, code } = error as { name: string; message: string; code?: unknown }
    return { name, message, code }
  }
}

const chunks: Feature = async (client, model) => {
  const all: unknown[] = []
  const failure = await outcome(async () => {
    for await (const one of await client.chat.completions.create({ ...asked(model), stream: true })) all.push(one)
  })
  return { all, failure }
}

const EVENTS = [
  'content.delta',
  'content.done',
  'refusal.delta',
  'refusal.done',
  'tool_calls.function.arguments.delta',
  'tool_calls.function.arguments.done',
] as const

const helperEvents: Feature = async (client, model) => {
  const all: unknown[] = []
  const stream = client.chat.completions.stream(asked(model))
  for (const name of EVENTS) stream.on(name, (event: unknown) => all.push([name, event]))
  const final = await outcome(() => stream.finalChatCompletion())
  return { all, final }
}

const runTools: Feature = async (client, model) => {
  const ran: unknown[] = []
  const tool = (name: string, parameter: string) => ({
    type: 'function' as const,
    function: {
      name,
      description: name,
      parameters: parameters(parameter),
      parse: JSON.parse,
      function: async (given: unknown) => {
        ran.push([name, given])
        return 'done'
      },
    },
  })
  const runner = client.chat.completions.runTools({
    model,
    stream: true,
    messages: [{ role: 'user', content: 'hello' }],
    tools: [tool('get_weather', 'city'), tool('get_time', 'zone')],
  })
  const content = await outcome(() => runner.finalContent())
  return { ran, content, messages: runner.messages.map(({ role }) => role) }
}

const FEATURES: readonly (readonly [what: string, feature: Feature])[] = [
  ['chunks of a stream', chunks],
  ['events of stream()', helperEvents],
  ['runTools()', runTools],
]

/** What is not the same on purpose: own words for a stream that breaks off, and chunks without choices. */
const OWN = new Set(['broken', 'keep-alive'])

const clientOf = ({ baseURL, apiKey }: Place): OpenAI => new OpenAI({ baseURL, apiKey, maxRetries: 0 })

for (const [what, feature] of FEATURES) {
  for (const { model } of STREAM_ROWS) {
    if (OWN.has(model)) continue
    test(`${what}: ${model}`, async () => {
      const [direct, governed] = await Promise.all([
        feature(clientOf(ways.direct), model),
        feature(clientOf(ways.governed), model),
      ])
      assert.deepEqual(governed, direct)
    })
  }
}

for (const { model } of STREAM_ROWS) {
  if (OWN.has(model)) continue
  test(`what stream() ends with when events drip: ${model}`, async () => {
    const final = (place: Place): Promise<unknown> =>
      outcome(() =>
        clientOf(place)
          .chat.completions.stream(asked(`${model}:drip`))
          .finalChatCompletion(),
      )
    const [direct, governed] = await Promise.all([final(ways.direct), final(ways.governed)])
    assert.deepEqual(governed, direct)
  })
}

test('signs of life and empty events are skipped, the text is whole', async () => {
  const stream = clientOf(ways.governed).chat.completions.stream(asked('keep-alive'))
  assert.equal((await stream.finalChatCompletion()).choices[0]?.message.content, 'Good.')
})

test('a stream that breaks off raises', async () => {
  const { all, failure } = (await chunks(clientOf(ways.governed), 'broken')) as { all: unknown[]; failure: unknown }
  assert.ok(all.length > 0)
  assert.equal((failure as { code: unknown }).code, 'upstream.failed')
})
