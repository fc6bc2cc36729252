/**
 * A model server that sends the streams of stream-rows.ts and governed-rows.ts: the name of the model chooses the row, and `NAME:drip`
 * sends it event by event. Who asks for no stream gets the same as one answer. `fails-STATUS` fails always, `once-STATUS` every other
 * time, `cut` breaks the connection off. Run by itself it prints its address: `node test/clients/stand-in.ts`
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, json, type Received, startModelServer } from '../server/model-server.ts'
import { GOVERNED_ROWS } from './governed-rows.ts'
import { eventOf, STREAM_ROWS } from './stream-rows.ts'
import { textsOf, wholeOf } from './whole-answer.ts'

/** Between two events of a row that drips. */
const DRIP_MS = 3

type Asked = Readonly<{
  model: string
  stream?: boolean
  messages?: readonly { role: string }[]
  input?: string | readonly string[]
  encoding_format?: string
}>

const CREATED = 1_732_500_000
const MODELS = ['text', 'owner/family/model'].map((id) => ({
  id,
  object: 'model',
  created: CREATED,
  owned_by: 'tests',
}))
const ROWS = [...STREAM_ROWS, ...GOVERNED_ROWS]

/** How many calls to a model of the name `once-STATUS` came: the odd ones fail. */
const asked = new Map<string, number>()

const turnOf = ({ model, messages = [] }: Asked): readonly (object | string)[] => {
  const turns = ROWS.find((row) => row.model === model.split(':')[0])?.turns ?? []
  return turns[messages.some(({ role }) => role === 'tool') ? 1 : 0] ?? []
}

/** What is answered in the place of the row: an error of the status, or nothing at all. */
function failureOf({ model }: Asked): Answer | undefined {
  if (model === 'cut') return (response) => void response.socket?.destroy()
  const [, how, status] = /^(fails|once)-(\d{3})$/.exec(model) ?? []
  if (status === undefined) return undefined
  const count = (asked.get(model) ?? 0) + 1
  asked.set(model, count)
  if (how === 'once' && count % 2 === 0) return undefined
  const error = { message: `The stand-in says ${status}.`, type: 'stand_in', param: null, code: `says_${status}` }
  return json({ error }, Number(status), { 'retry-after-ms': '20' })
}

async function sendEvents(response: Parameters<Answer>[0], events: readonly string[], drips: boolean): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  if (!drips) return void response.end(events.join(''))
  for (const event of events) {
    response.write(event)
    await sleep(DRIP_MS)
  }
  response.end()
}

const sendChat: Answer = (response, received) => {
  const body = JSON.parse(received.body) as Asked
  const known = turnOf(body)
  const turn = known.length > 0 ? known : turnOf({ ...body, model: 'text' })
  if (!body.stream) return json(wholeOf(turn))(response, received)
  return sendEvents(response, turn.map(eventOf), body.model.endsWith(':drip'))
}

const sendCompletion: Answer = (response, received) => {
  const body = JSON.parse(received.body) as Asked
  const texts = textsOf(turnOf(body))
  const part = (text: string, reason: string | null): object => ({
    id: 'cmpl-1',
    object: 'text_completion',
    created: CREATED,
    model: body.model,
    choices: [{ index: 0, text, logprobs: null, finish_reason: reason }],
  })
  if (!body.stream) return json(part(texts.join(''), 'stop'))(response, received)
  const parts = [...texts.map((text) => part(text, null)), part('', 'stop')]
  return sendEvents(response, [...parts, 'data: [DONE]\n\n'].map(eventOf), false)
}

const sendEmbeddings: Answer = (response, received) => {
  const { model, input = [], encoding_format } = JSON.parse(received.body) as Asked
  const data = [input].flat().map((text, index) => {
    const numbers = [0.25, -1, text.length]
    const bytes = Buffer.from(new Float32Array(numbers).buffer)
    const embedding = encoding_format === 'base64' ? bytes.toString('base64') : numbers
    return { object: 'embedding', index, embedding }
  })
  return json({ object: 'list', model, data, usage: { prompt_tokens: 2, total_tokens: 2 } })(response, received)
}

const sendModels: Answer = (response, received) => {
  const id = decodeURIComponent(/\/models\/(.+)$/.exec(received.path)?.[1] ?? '')
  if (id === '') return json({ object: 'list', data: MODELS })(response, received)
  return json(MODELS.find((model) => model.id === id) ?? { error: { message: 'no' } })(response, received)
}

const ROUTES: Readonly<Record<string, Answer>> = {
  '/v1/chat/completions': sendChat,
  '/v1/completions': sendCompletion,
  '/v1/embeddings': sendEmbeddings,
}

/** Answers as the row of the model says. */
export const answerByModel: Answer = (response, received: Received) => {
  const send = ROUTES[received.path]
  if (send === undefined) return sendModels(response, received)
  return (failureOf(JSON.parse(received.body) as Asked) ?? send)(response, received)
}

if (import.meta.main) {
  const server = await startModelServer()
  server.answer(answerByModel)
  process.stdout.write(`${server.url}/v1\n`)
}
