/** A model server that answers as the row says, over real HTTP, and remembers what reached it. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Answer, completion, json, type Piece } from './row.ts'

/** What reached it. */
export type Sent = Readonly<{ method: string; path: string; headers: readonly string[]; body: unknown }>

/** The text that a client has read so far; `wait` resolves once it holds `text`. */
export type Reading = Readonly<{ read: (text: string) => void; wait: (text: string) => Promise<void> }>

/** Begins to read. */
export function makeReading(): Reading {
  const waiting: (readonly [text: string, tell: () => void])[] = []
  let all = ''
  const tellThose = (): void => {
    for (const [text, tell] of waiting) if (all.includes(text)) tell()
  }
  return {
    read: (text) => {
      all += text
      tellThose()
    },
    wait: (text) =>
      new Promise<void>((resolve) => {
        waiting.push([text, resolve])
        tellThose()
      }),
  }
}

/** The server. `expect` says how it answers the next request (undefined: not at all), and who reads. */
export type ModelStandIn = Readonly<{
  host: string
  sent: Sent[]
  expect: (answer: Answer | undefined, reading: Reading) => void
  close: () => Promise<void>
}>

const NOTED = json(completion('Noted.'))

/** Headers that say nothing of what the gateway does. */
const OF_CONNECTION = new Set(['host', 'connection', 'content-length', 'transfer-encoding'])

/** Starts one on a free port. */
export async function startModelStandIn(): Promise<ModelStandIn> {
  const sent: Sent[] = []
  let next: Readonly<{ answer: Answer | undefined; reading: Reading }> = { answer: NOTED, reading: makeReading() }
  const server = createServer(async (request) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    sent.push(sentOf(request, Buffer.concat(parts).toString()))
    if (next.answer) await give(request.socket, next.answer, next.reading)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    expect: (answer, reading) => {
      next = { answer, reading }
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function sentOf({ method = '', url = '', headers }: IncomingMessage, body: string): Sent {
  const shown = Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name))
  return {
    method,
    path: url,
    headers: shown.map(([name, value]) => `${name}: ${value}`).sort(),
    body: body === '' ? null : plainBody(body),
  }
}

/** JSON as a value, or as the text that it is when JSON would be written otherwise. */
function plainBody(text: string): unknown {
  const value: unknown = JSON.parse(text)
  return JSON.stringify(value) === text ? value : text
}

/**
 * Pieces up to a wait leave in one write, each as a chunk of its own. The bytes are put together here, since versions of Node
 * differ in how they frame what is written side by side.
 */
async function give(socket: Socket, { status = 200, headers = {}, pieces }: Answer, reading: Reading): Promise<void> {
  const isFramed = status !== 204 && headers['content-length'] === undefined
  const framing = { ...(isFramed ? { 'transfer-encoding': 'chunked' } : {}), connection: 'close' }
  const lines = Object.entries({ ...headers, ...framing }).map(([name, value]) => `${name}: ${value}`)
  let ready: Uint8Array[] = [Buffer.from(`HTTP/1.1 ${status} As told\r\n${lines.join('\r\n')}\r\n\r\n`)]
  const leave = (): Promise<void> => {
    const bytes = Buffer.concat(ready)
    ready = []
    return new Promise((resolve) => socket.write(bytes, () => resolve()))
  }
  if (pieces[0] && isCut(pieces[0])) return void socket.destroy()
  for (const piece of pieces) {
    if (typeof piece === 'string' || piece instanceof Uint8Array) ready.push(...framed(piece, isFramed))
    else {
      await leave()
      if (isCut(piece)) return void socket.destroy()
      await reading.wait(piece.until)
    }
  }
  if (isFramed) ready.push(Buffer.from('0\r\n\r\n'))
  await leave()
  socket.end()
}

function framed(piece: string | Uint8Array, isFramed: boolean): readonly Uint8Array[] {
  const bytes = Buffer.from(piece)
  if (!isFramed || bytes.length === 0) return [bytes]
  return [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]
}

const isCut = (piece: Piece): piece is Readonly<{ cut: true }> => typeof piece === 'object' && 'cut' in piece

/** What is answered to a row that says nothing of it. */
export const answerOf = (answer: Answer | undefined): Answer => answer ?? NOTED
