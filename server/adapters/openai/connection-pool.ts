/**
 * Connections to one model server. Each tells a request whether its connection was used before: one that the server has
 * just closed while it was idle must not become the caller's error.
 */
import type { Socket } from 'node:net'
import { type buildConnector, Client, type Dispatcher, Pool } from 'undici'

/** How a request fared on its connection, when it broke. */
export type Connection = Readonly<{
  /** True when it had answered before, and nothing came since the request was written. */
  wasIdle: () => boolean
}>

/** A handler that is told the connection when its request is written. */
export type PooledHandler = Dispatcher.DispatchHandler & Readonly<{ onConnection: (connection: Connection) => void }>

/** Options that both pools have. */
type PoolOptions = ConstructorParameters<typeof Pool>[1]

class CountingClient extends Client {
  #answers = 0
  readonly #socket: () => Socket | undefined

  constructor(origin: string | URL, options: Client.Options, socket: () => Socket | undefined) {
    super(origin, options)
    this.#socket = socket
    this.on('connect', () => {
      this.#answers = 0
    })
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return super.dispatch(options, {
      onRequestStart: (controller, context) => {
        const socket = this.#socket()
        const [isReused, bytesBefore] = [this.#answers > 0, socket?.bytesRead]
        ;(handler as Partial<PooledHandler>).onConnection?.({
          wasIdle: () => isReused && socket?.bytesRead === bytesBefore,
        })
        handler.onRequestStart?.(controller, context)
      },
      onResponseStart: (controller, status, headers, message) =>
        handler.onResponseStart?.(controller, status, headers, message),
      onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
      onResponseEnd: (controller, trailers) => {
        this.#answers += 1
        handler.onResponseEnd?.(controller, trailers)
      },
      onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
    })
  }
}

/** Creates the pool; `through`, where there is one, gives each connection another way. */
export function createConnectionPool(
  origin: string,
  options: PoolOptions,
  through: (connect: buildConnector.connector) => buildConnector.connector = (connect) => connect,
): Pool {
  return new Pool(origin, {
    ...options,
    factory: (address, clientOptions) => {
      const connect = through((clientOptions as { connect: buildConnector.connector }).connect)
      let socket: Socket | undefined
      const connectAndKeep: buildConnector.connector = (target, callback) =>
        connect(target, (...result) => {
          socket = result[1] ?? undefined
          callback(...result)
        })
      return new CountingClient(address, { ...clientOptions, connect: connectAndKeep }, () => socket)
    },
  })
}
