/** Requests as bytes over a socket, where `fetch` would hide what happens. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** An answer. `interim` are the statuses of informational responses before it. */
export type WireAnswer = Readonly<{
  status: number
  interim: readonly number[]
  headers: Readonly<Record<string, string>>
  body: string
}>

/** Reads one answer: to its length, to its last chunk, or to the end of the connection. */
export async function readAnswer(socket: Socket, isBodiless = false): Promise<WireAnswer> {
  let text = ''
  const take = (): WireAnswer | undefined => parse(text, isBodiless)
  for await (const part of socket.iterator({ destroyOnReturn: false })) {
    text += (part as Buffer).toString('latin1')
    const answer = take()
    if (answer) return answer
  }
  return parse(text, true) ?? { status: 0, interim: [], headers: {}, body: text }
}

function parse(text: string, isWhole: boolean): WireAnswer | undefined {
  const interim: number[] = []
  let rest = text
  for (;;) {
    const at = rest.indexOf('\r\n\r\n')
    if (at < 0) return undefined
    const [first = '', ...lines] = rest.slice(0, at).split('\r\n')
    const status = Number(first.split(' ')[1])
    rest = rest.slice(at + 4)
    if (status >= 100 && status < 200) {
      interim.push(status)
      continue
    }
    const headers: Record<string, string> = {}
    for (const line of lines) {
      const name = line.slice(0, line.indexOf(':')).toLowerCase()
      const value = line.slice(line.indexOf(':') + 1).trim()
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
    }
    const length = headers['content-length']
    const isEnded =
      isWhole ||
      status === 204 ||
      (length !== undefined && rest.length >= Number(length)) ||
      (headers['transfer-encoding'] === 'chunked' && `\r\n${rest}`.includes('\r\n0\r\n\r\n'))
    return isEnded ? { status, interim, headers, body: Buffer.from(rest, 'latin1').toString() } : undefined
  }
}

/** Opens a connection to a gateway. */
export async function dial(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** The head of a request: its first line and headers. */
export function head(first: string, headers: Readonly<Record<string, string | number>> = {}): string {
  const lines = Object.entries({ host: 'gateway', ...headers }).map(([name, value]) => `${name}: ${value}`)
  return `${first} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

/** Sends bytes on a connection of their own and reads one answer. */
export async function exchange(url: string, bytes: string): Promise<WireAnswer> {
  const socket = await dial(url)
  try {
    socket.write(bytes)
    return await readAnswer(socket, bytes.startsWith('HEAD'))
  } finally {
    socket.destroy()
  }
}
