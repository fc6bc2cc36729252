/**
 * A load of so many clients, each of which sends its next request when it has the answer to the last one. Raw sockets, so that
 * the load costs little itself. `node bench/closed-loop.ts [--stream] [--header 'NAME: VALUE'] URL KEY CLIENTS SECONDS`; prints one
 * JSON line.
 */
import { connect, type Socket } from 'node:net'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { stream: { type: 'boolean', default: false }, header: { type: 'string', multiple: true, default: [] } },
})
const [target, key, clientsText, secondsText] = positionals
if (!target || !key || !clientsText || !secondsText) throw new Error('usage: closed-loop.ts URL KEY CLIENTS SECONDS')
const { hostname, port, pathname } = new URL(target)

const PARAGRAPH =
  'Please read the notes of the last meeting and write a short summary for the people who could not come. Keep the names of ' +
  'products as they are, leave out small talk, and end with a list of what was agreed and by when it is to be done. '

const BODY = JSON.stringify({
  model: 'stand-in',
  temperature: 0.2,
  ...(values.stream && { stream: true }),
  messages: [
    { role: 'system', content: 'You are a careful assistant who answers in plain words.' },
    { role: 'user', content: `Call aaaaaaaa. ${PARAGRAPH.repeat(3)}` },
  ],
})

const REQUEST = Buffer.from(
  `POST ${pathname} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${key}\r\n` +
    `content-type: application/json\r\n${values.header.map((line) => `${line}\r\n`).join('')}content-length: ${Buffer.byteLength(BODY)}\r\n\r\n${BODY}`,
)

/** Where the last message says which call it is: a gateway that knows messages again has to look through it all the same. */
const NUMBER_AT = REQUEST.indexOf('aaaaaaaa')
let calls = 0

/** The request with a last message that was not sent before: the call's number in eight letters. */
function nextRequest(): Buffer {
  const request = Buffer.from(REQUEST)
  for (let rest = ++calls, place = 7; rest > 0; rest = Math.trunc(rest / 26), place--)
    request[NUMBER_AT + place] = 97 + (rest % 26)
  return request
}

const latenciesMs: number[] = []
let failures = 0
/** What failures said, by status and code. */
const reasons: Record<string, number> = {}
const startMs = performance.now()
const endMs = startMs + Number(secondsText) * 1000

function client(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    socket.setNoDelay(true)
    let sentMs = 0
    let received = ''
    const send = (): void => {
      const request = nextRequest()
      sentMs = performance.now()
      socket.write(request)
    }
    socket.once('connect', send)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed before an answer')))
    socket.on('data', (part) => {
      received += part.toString('latin1')
      if (!isWhole(received)) return
      const nowMs = performance.now()
      latenciesMs.push(nowMs - sentMs)
      if (!isAnswer(received)) noteFailure(received)
      received = ''
      if (nowMs < endMs) send()
      else finish(socket, resolve)
    })
  })
}

/** Whether it is all of the model server's answer: a status alone would count a stream that broke off as answered. */
function isAnswer(received: string): boolean {
  return received.startsWith('HTTP/1.1 200') && (!values.stream || received.includes('data: [DONE]'))
}

function noteFailure(received: string): void {
  failures += 1
  const reason = `${received.slice(9, 12)} ${/"reason":"([^"]*)"/.exec(received)?.[1] ?? /"code":"([^"]*)"/.exec(received)?.[1] ?? ''}`
  reasons[reason] = (reasons[reason] ?? 0) + 1
}

function isWhole(received: string): boolean {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(received)?.[1]
  if (length !== undefined) return received.length >= headEnd + 4 + Number(length)
  return received.endsWith('\r\n0\r\n\r\n')
}

function finish(socket: Socket, resolve: () => void): void {
  resolve()
  socket.destroy()
}

setTimeout(
  () => {
    throw new Error('a call had no answer for thirty seconds')
  },
  endMs - startMs + 30_000,
).unref()
await Promise.all(Array.from({ length: Number(clientsText) }, client))
const seconds = (performance.now() - startMs) / 1000
latenciesMs.sort((one, other) => one - other)
const at = (share: number): number =>
  latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))] ?? 0
process.stdout.write(
  `${JSON.stringify({ calls: latenciesMs.length, failures, reasons, perSecond: latenciesMs.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) })}\n`,
)
