/** Vercel's `ai` reads streams through the gateway as it reads them without: the same parts in the same order. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { jsonSchema, stepCountIs, streamText, tool } from 'ai'
import { type BothWays, type Place, startBothWays } from './both-ways.ts'
import { STREAM_ROWS } from './stream-rows.ts'

let ways: BothWays
before(async () => {
  ways = await startBothWays()
})
after(() => ways.close())

const schema = (name: string) =>
  jsonSchema<Record<string, string>>({ type: 'object', properties: { [name]: { type: 'string' } }, required: [name] })

/** Parts of the stream without what is new in each run. */
async function partsOf({ baseURL, apiKey }: Place, model: string): Promise<readonly unknown[]> {
  const ran: unknown[] = []
  const execute = async (given: unknown): Promise<string> => {
    ran.push(given)
    return 'done'
  }
  const result = streamText({
    model: createOpenAICompatible({ name: 'stand-in', baseURL, apiKey, includeUsage: true })(model),
    prompt: 'hello',
    maxRetries: 0,
    stopWhen: stepCountIs(3),
    tools: {
      get_weather: tool({ description: 'weather', inputSchema: schema('city'), execute }),
      get_time: tool({ description: 'time', inputSchema: schema('zone'), execute }),
    },
    onError: () => {},
  })
  const parts: unknown[] = []
  try {
    for await (const part of result.fullStream) parts.push(comparable(part))
  } catch (error) {
    parts.push({ type: 'thrown', error: String(error) })
  }
  return [...parts, ran]
}

function comparable(part: Readonly<{ type: string }>): unknown {
  const { type, text, delta, toolName, input, output, finishReason, error } = part as Record<string, unknown>
  return {
    type,
    text,
    delta,
    toolName,
    input,
    output,
    finishReason,
    error: error === undefined ? undefined : String(error),
  }
}

for (const { model } of STREAM_ROWS) {
  if (['broken', 'keep-alive'].includes(model)) continue
  test(`streamText: ${model}`, async () => {
    const [direct, governed] = await Promise.all([partsOf(ways.direct, model), partsOf(ways.governed, model)])
    assert.deepEqual(governed, direct)
  })
}

test('streamText: a stream that breaks off is an error part with the reason, and raises', async () => {
  const parts = (await partsOf(ways.governed, 'broken')) as readonly { type?: string; error?: string }[]
  assert.match(parts.find(({ type }) => type === 'error')?.error ?? '', /broke off/)
  assert.ok(parts.some(({ type }) => type === 'thrown'))
})
