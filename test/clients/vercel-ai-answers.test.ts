/** What Vercel's `ai` gives its user of whole answers, and what it raises: the same through the gateway as without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import {
  embedMany,
  generateObject,
  generateText,
  jsonSchema,
  type LanguageModel,
  type ModelMessage,
  stepCountIs,
  streamObject,
  tool,
} from 'ai'
import { CLIENTS } from './client-list.ts'
import { useClient } from './client-test.ts'
import { type Asked, type Feature, startHere } from './driver.ts'
import { testFailures, testRetries } from './failure-rows.ts'
import { MASK } from './governed-rows.ts'
import { PICTURE_DATA } from './part-rows.ts'

type There = Asked & Readonly<{ baseURL: string; apiKey: string }>

const provider = ({ baseURL, apiKey, headers = {} }: There) =>
  createOpenAICompatible({ name: 'stand-in', baseURL, apiKey, headers, supportsStructuredOutputs: true })
const modelOf = (asked: There): LanguageModel => provider(asked)(asked.model)
const messagesOf = ({ content = 'hello' }: Asked): ModelMessage[] => [{ role: 'user', content } as ModelMessage]

const place = (name: string) =>
  jsonSchema<Record<string, string>>({ type: 'object', properties: { [name]: { type: 'string' } }, required: [name] })
const trip = jsonSchema<{ city: string; days: number[] }>({
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'array', items: { type: 'integer' } } },
  required: ['city', 'days'],
})

const features = {
  text: async (asked, tell) => {
    const execute = async (given: unknown): Promise<string> => {
      tell(given)
      return 'done'
    }
    const result = await generateText({
      model: modelOf(asked),
      messages: messagesOf(asked),
      maxRetries: asked.retries ?? 0,
      stopWhen: stepCountIs(3),
      tools: {
        get_weather: tool({ description: 'weather', inputSchema: place('city'), execute }),
        get_time: tool({ description: 'time', inputSchema: place('zone'), execute }),
      },
    })
    const { text, reasoningText, finishReason, totalUsage, steps } = result
    const calls = steps.map(({ toolCalls }) =>
      toolCalls.map(({ toolCallId, toolName, input }) => [toolCallId, toolName, input]),
    )
    return { text, reasoningText, finishReason, totalUsage, calls }
  },
  object: async (asked) => {
    const { object, usage } = await generateObject({
      model: modelOf(asked),
      schema: trip,
      prompt: 'hello',
      maxRetries: 0,
    })
    return { object, usage }
  },
  objectStream: async (asked, tell) => {
    const result = streamObject({ model: modelOf(asked), schema: trip, prompt: 'hello', maxRetries: 0 })
    for await (const partial of result.partialObjectStream) tell(partial)
    return await result.object
  },
  embeddings: async (asked) => {
    const model = provider(asked).embeddingModel(asked.model)
    return (await embedMany({ model, values: ['one', 'three'], maxRetries: 0 })).embeddings
  },
} satisfies Readonly<Record<string, Feature>>

const client = useClient(() => startHere(features))

client.testSame([
  ...['text', 'parallel-tools', 'words-then-tools', 'reasoning', 'reasoning-and-tools'].map(
    (model) => ['text', model] as const,
  ),
  ['object', 'structured'],
  ['objectStream', 'structured'],
  ['embeddings', 'vectors'],
  [
    'text',
    'text',
    undefined,
    [
      { type: 'text', text: 'What do you see?' },
      { type: 'image', image: PICTURE_DATA, mediaType: 'image/png' },
    ],
  ],
])

testFailures(client, 'text', undefined, CLIENTS.vercel.classes)
testRetries(client, 'text')

test('a model server that breaks off', async () => {
  const { raised } = await client.governed({ feature: 'text', model: 'cut' })
  assert.match(raised?.message ?? '', /could not be reached/)
})

test('the answer is masked', async () => {
  const headers = { 'X-Governance-Flags': 'pii=mask' }
  const { given } = await client.governed({ feature: 'text', model: 'personal', headers })
  assert.equal((given as { text: string }).text, `Write to ${MASK} about it.`)
})
