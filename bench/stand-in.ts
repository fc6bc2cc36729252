/**
 * A model server to measure against: answers every POST with the same chat completion, at once. A process of its own:
 * `node bench/stand-in.ts`; prints its address on the first line.
 */
import { createServer } from 'node:http'

const ANSWER = JSON.stringify({
  id: 'chatcmpl-stand-in',
  object: 'chat.completion',
  created: 1732500000,
  model: 'stand-in',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content:
          'The quarterly report is ready for review. Sales grew in all three regions, most of all in the north, where two new ' +
          'shops opened in spring. Costs stayed flat. The next step is to compare the figures with the plan and to agree on ' +
          'the forecast for winter with the team before the meeting on Thursday.',
        refusal: null,
      },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 180, completion_tokens: 64, total_tokens: 244 },
})

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  request.resume()
  request.once('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(ANSWER) })
    response.end(ANSWER)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address) process.stdout.write(`http://127.0.0.1:${address.port}\n`)
})
