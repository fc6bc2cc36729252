/** Sends a request as its row says and gives what came back, byte for byte, before anything is made comparable. */
import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import type { Reading } from './model-stand-in.ts'
import type { Row } from './row.ts'

/** What came back. `isBroken`: the connection ended before the answer did. */
export type Reply = Readonly<{
  status: number
  headers: readonly (readonly [name: string, value: string])[]
  text: string
  isBroken: boolean
}>

/** What comes back when nobody waits for it. */
export const NOTHING: Reply = { status: 0, headers: [], text: '', isBroken: false }

/** Sends a row. `isAsked` is awaited before a client goes away that is to do so. */
export async function exchange(url: string, row: Row, reading: Reading, isAsked: () => Promise<void>): Promise<Reply> {
  if (row.raw !== undefined) return exchangeBytes(url, row.raw)
  // A connection of its own for each, kept alive as far as the gateway can see.
  const agent = new Agent({ keepAlive: true })
  const asking = ask(url, row, agent)
  try {
    if (row.goneAfter === '') {
      await isAsked()
      return NOTHING
    }
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    const whole = readReply(response, reading)
    if (row.goneAfter === undefined) return await whole
    await reading.wait(row.goneAfter)
    return NOTHING
  } finally {
    asking.destroy()
    agent.destroy()
  }
}

function ask(url: string, row: Row, agent: Agent): ClientRequest {
  const body = row.body === undefined || typeof row.body === 'string' ? row.body : JSON.stringify(row.body)
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const given = Object.entries({ ...type, ...length, ...row.headers })
  // A header that a row sets to nothing is left out, but for those that say something by being empty.
  const headers = Object.fromEntries(given.filter(([name, value]) => value !== '' || name.startsWith('x-')))
  const { hostname, port } = new URL(url)
  const method = row.method ?? 'POST'
  const path = row.path ?? '/v1/chat/completions'
  const asking = request({ hostname, port, method, path, headers, agent })
  asking.on('error', () => {})
  asking.end(body)
  return asking
}

async function readReply(response: IncomingMessage, reading: Reading): Promise<Reply> {
  let text = ''
  let isBroken = false
  response.setEncoding('utf8')
  try {
    for await (const part of response) {
      text += part
      reading.read(part as string)
    }
  } catch {
    isBroken = true
  }
  return { status: response.statusCode ?? 0, headers: pairsOf(response.rawHeaders), text, isBroken }
}

function pairsOf(raw: readonly string[]): Reply['headers'] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []))
}

/** Sends bytes as they are, and reads one answer whose length it says. */
async function exchangeBytes(url: string, bytes: string): Promise<Reply> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(bytes)
  let answer = ''
  for await (const part of socket) {
    answer += part
    const [head = '', content] = answer.split('\r\n\r\n')
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1])
    if (content !== undefined && Buffer.byteLength(content) >= length) break
  }
  socket.destroy()
  const [head = '', text = ''] = answer.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const)
  return { status: Number(first.split(' ')[1]), headers, text, isBroken: false }
}
