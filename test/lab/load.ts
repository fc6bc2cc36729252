/** Calls through the door, many at once, each judged: what failed is kept with its reason, never thrown away. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Door } from './server.ts'

/** `acknowledged` are the gateway's ids of calls whose whole answer arrived; `failures` say why the others did not. */
export type Tally = { sent: number; streamed: number; readonly acknowledged: string[]; readonly failures: string[] }

/** One in so many calls is a stream. */
const streamEvery = 5

const question = 'How are the quarterly figures of the northern branch?'

const bodyOf = (isStream: boolean): string =>
  JSON.stringify({ model: 'lab', stream: isStream, messages: [{ role: 'user', content: question }] })

/** The text that an answer says, whole or streamed; a stream without its end is an error. */
const saidBy = (text: string, isStream: boolean): string => {
  if (!isStream) return (JSON.parse(text) as { choices: [{ message: { content: string } }] }).choices[0].message.content
  if (!text.trimEnd().endsWith('data: [DONE]')) throw new Error('the stream was cut off')
  return [...text.matchAll(/^data: (\{.*\})$/gm)]
    .map(
      ([, json = '']) => (JSON.parse(json) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content,
    )
    .join('')
}

const call = async (door: Door, key: string, isStream: boolean): Promise<string> => {
  const response = await door.fetch(door.url('/v1/chat/completions'), {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: bodyOf(isStream),
  })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${response.status}: ${text.slice(0, 300)}`)
  if (saidBy(text, isStream) !== `You said: ${question}`) throw new Error(`another answer: ${text.slice(0, 300)}`)
  return response.headers.get('x-request-id') ?? ''
}

/**
 * Keeps `clients` calls under way until `isOver`; a call that fails is counted, and the next one follows. `betweenMs` is what a client waits after
 * an answer: a call costs a machine some 10 ms of processor, and without a pause the load takes all of it, and what it is beside takes twice as long.
 */
export const load = async (
  door: Door,
  key: string,
  clients: number,
  isOver: (tally: Tally) => boolean,
  betweenMs = 200,
): Promise<Tally> => {
  const tally: Tally = { sent: 0, streamed: 0, acknowledged: [], failures: [] }
  const client = async (): Promise<void> => {
    while (!isOver(tally)) {
      tally.sent += 1
      const isStream = tally.sent % streamEvery === 0
      if (isStream) tally.streamed += 1
      try {
        tally.acknowledged.push(await call(door, key, isStream))
        await pause(betweenMs)
      } catch (error) {
        const cause = (error as Error).cause
        await pause(50) // a server that is away is not hammered
        tally.failures.push(`${(error as Error).message}${cause instanceof Error ? `: ${cause.message}` : ''}`)
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return tally
}
