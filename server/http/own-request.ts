/** Questions that the process asks its own routes: what anybody would be told, without a connection and uncounted. */
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** The address that such a question comes from. A peer has an IP address, so nobody else can have this one. */
const OWN_ADDRESS = 'self'

/** Returns the status that the server answers to a GET of `path`. */
export async function askOwnStatus(server: FastifyInstance, path: string): Promise<number> {
  return (await server.inject({ url: path, remoteAddress: OWN_ADDRESS })).statusCode
}

/** Whether a request is such a question. */
export function isOwnRequest({ raw }: FastifyRequest): boolean {
  return raw.socket.remoteAddress === OWN_ADDRESS
}
