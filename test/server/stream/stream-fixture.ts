/** Sends events through a gateway whose model server is a stand-in, and gives what the client gets. */
import { answerOf, type Bench, createBench, dripped, governed, requestOf } from '../governance/gateway-fixture.ts'
import { STEPS } from './window-fixture.ts'

/** What a client gets: the chunks, an error, whether `[DONE]` and the end of the body came; and how its texts add up. */
export type Received = Readonly<{
  text: string
  chunks: readonly ReceivedChunk[]
  error: Readonly<{ code?: unknown; message?: string }> | undefined
  isDone: boolean
  isComplete: boolean
  bench: Bench
}>

/** A chunk as a client reads it. */
export type ReceivedChunk = Readonly<{
  choices: readonly Readonly<{
    index: number
    delta?: Readonly<Record<string, unknown>>
    finish_reason?: string | null
  }>[]
  [member: string]: unknown
}>

const BODY = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hello' }] }

/** Objects are events, strings stand as they are on the wire. They come at once, or one after the other (`isDripped`). */
export async function receive(
  parts: readonly (object | string)[],
  isDripped = false,
  steps: Parameters<typeof createBench>[2] = STEPS,
  ports: Parameters<typeof createBench>[1] = {},
): Promise<Received> {
  const events = parts.map((part) => (typeof part === 'string' ? part : `data: ${JSON.stringify(part)}\n\n`))
  const bench = createBench(
    () => answerOf(isDripped ? dripped(events) : [events.join('')], 'text/event-stream'),
    ports,
    steps,
  )
  const reply = await governed(bench.gateway, requestOf(BODY))
  if (reply.kind !== 'stream') throw new Error(`no stream: ${reply.text}`)
  let text = ''
  for (;;) {
    const { done, value } = await reply.texts.next()
    if (done) return { ...parse(text), text, isComplete: value, bench }
    text += value
  }
}

function parse(text: string): Pick<Received, 'chunks' | 'error' | 'isDone'> {
  const datas = text
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice('data: '.length))
  const values = datas.filter((data) => data !== '[DONE]').map((data) => JSON.parse(data) as ReceivedChunk)
  return {
    chunks: values.filter((value) => !value['error']),
    error: values.find((value) => value['error'])?.['error'] as Received['error'],
    isDone: datas.includes('[DONE]'),
  }
}

/** The texts of all chunks by their place (lists by `index`, else by place), joined as clients join them. */
export function joinedTexts(chunks: readonly unknown[]): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {}
  const visit = (value: unknown, pointer: string): void => {
    if (typeof value === 'string') texts[pointer] = (texts[pointer] ?? '') + value
    else if (Array.isArray(value)) {
      for (const [place, item] of value.entries())
        visit(item, `${pointer}/${(item as { index?: number })?.index ?? place}`)
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) visit(member, `${pointer}/${name}`)
    }
  }
  for (const chunk of chunks) visit((chunk as ReceivedChunk).choices, '')
  return texts
}
