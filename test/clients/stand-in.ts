/**
 * A model server that sends the streams of stream-rows.ts: the name of the model chooses the row, and `NAME:drip` sends it event by
 * event. Run by itself it prints its address, for clients of other languages: `node test/clients/stand-in.ts`
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, startModelServer } from '../server/model-server.ts'
import { eventOf, STREAM_ROWS } from './stream-rows.ts'

/** Between two events of a row that drips. */
const DRIP_MS = 3

/** Answers as the row of the model says. */
export const answerByModel: Answer = async (response, { body }) => {
  const { model, messages } = JSON.parse(body) as { model: string; messages: readonly { role: string }[] }
  const [name, how] = model.split(':')
  const turns = STREAM_ROWS.find((row) => row.model === name)?.turns ?? []
  const events = (turns[messages.some(({ role }) => role === 'tool') ? 1 : 0] ?? []).map(eventOf)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  if (how !== 'drip') return void response.end(events.join(''))
  for (const event of events) {
    response.write(event)
    await sleep(DRIP_MS)
  }
  response.end()
}

if (import.meta.main) {
  const server = await startModelServer()
  server.answer(answerByModel)
  process.stdout.write(`${server.url}/v1\n`)
}
