/** Creates the server of mTLS connections, which has the SVID of the moment. */
import type { Server } from 'node:https'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config/config.ts'
import type { SpiffeListen } from '../config/spiffe-setting.ts'
import { createSvidServer, type SvidServerOptions, useSvid } from '../http/svid-server.ts'
import type { Svids } from './open-svids.ts'

/** A server that does not listen yet. It may once it has an SVID: `whenServable` calls back then. */
export type SvidListener = Readonly<{
  server: Server
  address: SpiffeListen
  whenServable: (listen: () => void) => void
}>

/** Creates it where a setting gives it an address, or systemd a socket. */
export function serveSvids(
  routes: FastifyInstance,
  { spiffe }: Pick<Config, 'spiffe'>,
  svids: Svids | undefined,
  options: SvidServerOptions,
): SvidListener | undefined {
  if (svids === undefined || spiffe?.listen === undefined) return undefined
  const server = createSvidServer(routes, options)
  let listens: (() => void)[] | undefined = []
  svids.onSvid((texts) => {
    useSvid(server, texts)
    for (const listen of listens ?? []) listen()
    listens = undefined
  })
  return {
    server,
    address: spiffe.listen,
    whenServable: (listen) => (listens === undefined ? listen() : void listens.push(listen)),
  }
}
