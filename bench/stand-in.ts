/**
 * A model server to measure against: answers every POST with the same chat completion, at once, and as a stream when the body asks
 * for one. A process of its own: `node bench/stand-in.ts`; prints its address on the first line.
 */
import { createServer } from 'node:http'

const TEXT =
  'The quarterly report is ready for review. Sales grew in all three regions, most of all in the north, where two new ' +
  'shops opened in spring. Costs stayed flat. The next step is to compare the figures with the plan and to agree on ' +
  'the forecast for winter with the team before the meeting on Thursday.'

const ANSWER = JSON.stringify({
  id: 'chatcmpl-stand-in',
  object: 'chat.completion',
  created: 1732500000,
  model: 'stand-in',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: TEXT, refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 180, completion_tokens: 64, total_tokens: 244 },
})

const chunk = (delta: object, finishReason: string | null): string =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-stand-in',
    object: 'chat.completion.chunk',
    created: 1732500000,
    model: 'stand-in',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
  })}\n\n`

/** The same text, a word a chunk. */
const STREAM = [
  chunk({ role: 'assistant', content: '' }, null),
  ...(TEXT.match(/\S+ ?/g) ?? []).map((content) => chunk({ content }, null)),
  chunk({}, 'stop'),
  'data: [DONE]\n\n',
].join('')

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  let isStream = false
  request.on('data', (part: Buffer) => {
    isStream ||= /"stream": ?true/.test(part.toString('latin1'))
  })
  request.once('end', () => {
    if (isStream) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(STREAM)
      return
    }
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(ANSWER) })
    response.end(ANSWER)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address) process.stdout.write(`http://127.0.0.1:${address.port}\n`)
})
