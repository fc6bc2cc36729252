/** What the gateway's routes state, without anything behind them. */
import Fastify, { type RouteOptions } from 'fastify'
import { type RouteDependencies, registerRoutes } from '../../../server/route-table.ts'

/** No handler runs, so nothing has to be there. */
const NOTHING = { gateway: { ports: {}, limits: {} }, about: { version: '1.2.3' } } as unknown as RouteDependencies

/** The routes in the order of their registration, and the document that describes them. */
export type StatedRoutes = Readonly<{ routes: readonly RouteOptions[]; document: object }>

/** Registers all routes of the gateway. */
export async function statedRoutes(): Promise<StatedRoutes> {
  const server = Fastify({ exposeHeadRoutes: false })
  const routes: RouteOptions[] = []
  server.addHook('onRoute', (route) => void routes.push(route))
  await registerRoutes(server, NOTHING)
  await server.ready()
  return { routes, document: server.swagger() }
}

/** `GET /agents/{id}` */
export const nameOf = ({ method, url }: RouteOptions): string => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`

/** The route that a request is for, if there is one. */
export function routeFor(routes: readonly RouteOptions[], method: string, target: string): RouteOptions | undefined {
  const path = target.replace(/\?.*$/, '').replace(/^\/v1\//, '/')
  const isFor = ({ url }: RouteOptions): boolean =>
    new RegExp(`^${url.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`).test(path)
  return routes.find((route) => route.method === method && isFor(route))
}
