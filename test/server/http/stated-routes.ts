/** What the gateway's routes state, without anything behind them. */
import Fastify, { type RouteOptions } from 'fastify'
import { systemClock } from '../../../server/adapters/system.ts'
import { registerRoutes } from '../../../server/composition/register-routes.ts'
import { readConfig } from '../../../server/config/config.ts'
import type { Database } from '../../../server/core/ports.ts'
import { routedPath } from '../../../server/http/request-path.ts'
import type { Gateway } from '../../../server/pipeline/gateway.ts'

/** No handler runs, so next to nothing has to be there. */
const GATEWAY = {
  steps: [],
  limits: {},
  ports: { limiter: {}, policy: {}, clock: systemClock },
} as unknown as Gateway
const METER = { render: async () => '', add: () => {}, gauge: () => {}, forget: () => {}, beforeReading: () => {} }
const REPLIES = { inFlight: () => 0, streamsOpen: () => 0 }

/** The routes in the order of their registration, and the document that describes them. */
export type StatedRoutes = Readonly<{ routes: readonly RouteOptions[]; document: object }>

/** Registers all routes of the gateway. */
export async function statedRoutes(): Promise<StatedRoutes> {
  const server = Fastify({ exposeHeadRoutes: false })
  const routes: RouteOptions[] = []
  server.addHook('onRoute', (route) => void routes.push(route))
  await registerRoutes(server, readConfig('gateway', {}), { database: {} as Database }, GATEWAY, {
    meter: METER,
    replies: REPLIES,
  })
  await server.ready()
  return { routes, document: server.swagger() }
}

/** `GET /agents/{id}` */
export const nameOf = ({ method, url }: RouteOptions): string =>
  `${method} ${url.replace(/:(\w+)/g, '{$1}').replace('*', '{id}')}`

/** The route that a request is for, if there is one. */
export function routeFor(routes: readonly RouteOptions[], method: string, target: string): RouteOptions | undefined {
  const path = routedPath(target).replace(/\?.*$/, '')
  const isFor = ({ url }: RouteOptions): boolean =>
    new RegExp(`^${url.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+').replace('*', '.+')}$`).test(path)
  return routes.find((route) => route.method === method && isFor(route))
}
