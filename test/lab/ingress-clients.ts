/** Clients of an ingress on this machine: those who come anew for each request, quickly or after a while, and those who keep their connection. */
import { Agent, type RequestOptions, request } from 'node:https'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'

/** `newConnections` and `keptRequests` were made; `failures` are those that got no whole answer, by what happened. */
export type ClientFigures = Readonly<{
  newConnections: number
  keptRequests: number
  failures: Readonly<Record<string, number>>
}>

const NEWCOMERS = 16
const KEEPERS = 16
/** As long as a slow line takes between two of: the connection, the TLS handshake, the request. */
const THINKING_MS = 400

const HOST = '127.0.0.1'
const TEXT = 'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'

/** One request on a connection of its own. Gives what went wrong, or undefined. */
const comeAnew = (port: number, thinkingMs: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = connect(port, HOST).once('error', ({ message }) => resolve(`connect: ${message}`))
    socket.once('connect', async () => {
      await pause(Math.random() * thinkingMs)
      const secure = connectTls({ socket, servername: 'localhost', rejectUnauthorized: false })
      let text = ''
      secure
        .once('error', ({ message }) => resolve(`TLS: ${message}`))
        .on('data', (piece) => {
          text += piece
        })
      secure.once('secureConnect', async () => {
        await pause(Math.random() * thinkingMs)
        secure.write(TEXT)
      })
      secure.once('close', () =>
        resolve(/^HTTP\/1\.1 200 .*ok/s.test(text) ? undefined : `${text.slice(0, 12)}: no answer`),
      )
    })
  })

const askAgain = (options: RequestOptions): Promise<string | undefined> =>
  new Promise((resolve) => {
    const asking = request({ ...options, host: HOST, servername: 'localhost', method: 'POST' }, (response) => {
      response.once('error', ({ message }) => resolve(message))
      response.resume().once('end', () => resolve(response.statusCode === 200 ? undefined : `${response.statusCode}`))
    })
    asking.once('error', ({ message }) => resolve(`kept: ${message}`)).end('x')
  })

/** Starts all of them; `stop` gives what became of their requests. */
export function startClients(port: number): Readonly<{ stop: () => Promise<ClientFigures> }> {
  let isAsking = true
  const counts = { newConnections: 0, keptRequests: 0 }
  const failures: Record<string, number> = {}
  const loop = async (member: keyof typeof counts, ask: () => Promise<string | undefined>): Promise<void> => {
    for (; isAsking; counts[member] += 1) {
      const failure = await ask()
      if (failure !== undefined) failures[failure] = (failures[failure] ?? 0) + 1
    }
  }
  const newcomers = Array.from({ length: NEWCOMERS }, (_, index) =>
    loop('newConnections', () => comeAnew(port, index % 2 === 0 ? 0 : THINKING_MS)),
  )
  const keepers = Array.from({ length: KEEPERS }, () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
    return loop('keptRequests', async () => {
      await pause(Math.random() * THINKING_MS)
      return askAgain({ port, agent })
    }).finally(() => agent.destroy())
  })
  const stop = async (): Promise<ClientFigures> => {
    isAsking = false
    await Promise.all([...newcomers, ...keepers])
    return { ...counts, failures }
  }
  return { stop }
}
