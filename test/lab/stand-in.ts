/** A model server for tests: speaks OpenAI's chat API, remembers every body that reached it, and answers at once. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** `bodies` are the requests as they came, in order. `words` is how many pieces a streamed answer has. */
export type StandIn = Readonly<{ url: string; bodies: readonly string[]; close: () => Promise<void> }>

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) text += piece
  return text
}

const said = 'All is well with the quarterly figures, and nothing else is to be said.'

const envelope = (model: string, object: string) => ({ id: 'chatcmpl-stand-in', object, created: 1_795_550_000, model })

const answerWhole = (response: ServerResponse, model: string): void => {
  const choices = [{ index: 0, message: { role: 'assistant', content: said }, finish_reason: 'stop' }]
  const usage = { prompt_tokens: 9, completion_tokens: 15, total_tokens: 24 }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ ...envelope(model, 'chat.completion'), choices, usage }))
}

const answerStream = async (response: ServerResponse, model: string, pauseMs: number): Promise<void> => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (delta: object, finish_reason: string | null): boolean =>
    response.write(
      `data: ${JSON.stringify({ ...envelope(model, 'chat.completion.chunk'), choices: [{ index: 0, delta, finish_reason }] })}\n\n`,
    )
  send({ role: 'assistant', content: '' }, null)
  for (const word of said.split(/(?<= )/)) {
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
    send({ content: word }, null)
  }
  send({}, 'stop')
  response.end('data: [DONE]\n\n')
}

/** What every answer says. */
export const standInText = said

/** Listens at `host` on a free port. `pauseMs` is the time between two pieces of a stream. */
export const standIn = async (host: string, pauseMs = 0): Promise<StandIn> => {
  const bodies: string[] = []
  const server: Server = createServer(async (request, response) => {
    const body = await textOf(request)
    bodies.push(body)
    const { model, stream } = JSON.parse(body) as { model: string; stream?: boolean }
    if (stream) await answerStream(response, model, pauseMs)
    else answerWhole(response, model)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://${host}:${port}/v1`, bodies, close }
}
