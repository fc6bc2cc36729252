/** Features of Vercel's `ai`. */
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
  streamText,
  tool,
} from 'ai'
import type { Place } from './both-ways.ts'
import type { Asked, Feature } from './driver.ts'

type There = Asked & Place

const provider = ({ baseURL, apiKey, headers = {} }: There) =>
  createOpenAICompatible({
    name: 'stand-in',
    baseURL,
    apiKey,
    headers,
    includeUsage: true,
    supportsStructuredOutputs: true,
  })
const modelOf = (asked: There): LanguageModel => provider(asked)(asked.model)
const messagesOf = ({ content = 'hello' }: Asked): ModelMessage[] => [{ role: 'user', content } as ModelMessage]

const place = (name: string) =>
  jsonSchema<Record<string, string>>({ type: 'object', properties: { [name]: { type: 'string' } }, required: [name] })
const trip = jsonSchema<{ city: string; days: number[] }>({
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'array', items: { type: 'integer' } } },
  required: ['city', 'days'],
})

/** Tools that tell what they were run with. */
function toolsOf(tell: (what: unknown) => void) {
  const execute = async (given: unknown): Promise<string> => {
    tell(given)
    return 'done'
  }
  return {
    get_weather: tool({ description: 'weather', inputSchema: place('city'), execute }),
    get_time: tool({ description: 'time', inputSchema: place('zone'), execute }),
  }
}

const text: Feature = async (asked, tell) => {
  const result = await generateText({
    model: modelOf(asked),
    messages: messagesOf(asked),
    maxRetries: asked.retries ?? 0,
    stopWhen: stepCountIs(3),
    tools: toolsOf(tell),
  })
  const { text, reasoningText, finishReason, totalUsage, steps } = result
  const calls = steps.map(({ toolCalls }) =>
    toolCalls.map(({ toolCallId, toolName, input }) => [toolCallId, toolName, input]),
  )
  return { text, reasoningText, finishReason, totalUsage, calls }
}

/** Parts of the stream without what is new in each run. */
const parts: Feature = async (asked, tell) => {
  const ran: unknown[] = []
  const result = streamText({
    model: modelOf(asked),
    messages: messagesOf(asked),
    maxRetries: asked.retries ?? 0,
    stopWhen: stepCountIs(3),
    tools: toolsOf((given) => ran.push(given)),
    onError: () => {},
  })
  for await (const part of result.fullStream) {
    const { type, text, delta, toolName, input, output, finishReason, error } = part as Record<string, unknown>
    const failure = error === undefined ? undefined : String(error)
    tell({ type, text, delta, toolName, input, output, finishReason, error: failure })
  }
  return ran
}

/** The features, by name. */
export const VERCEL_FEATURES: Readonly<Record<string, Feature>> = {
  text,
  parts,
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
}
