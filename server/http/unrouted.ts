/** Requests that no route is for. They cost nothing: no key is looked up, no body is read. */
import type { FastifyInstance } from 'fastify'
import { preflightHeaders } from './cross-origin.ts'
import { PublicError } from './public-error.ts'
import { type KnownRoute, methodsOf, unknownRouteMessage, wrongMethodMessage } from './request-path.ts'

/**
 * Answers them: 204 to OPTIONS, 405 with the methods of a path, or 404. Routes that are registered before are not known;
 * `corsOrigins` are those whose pages may ask.
 */
export function answerUnrouted(server: FastifyInstance, corsOrigins: readonly string[]): void {
  const routes: KnownRoute[] = []
  server.addHook('onRoute', (route) => void routes.push(route))
  server.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done()
    const { method, originalUrl, url } = request
    const methods = methodsOf(routes, url.replace(/\?.*$/s, ''))
    const allow = methods.join(', ')
    if (method === 'OPTIONS' && (methods.length > 0 || url === '*')) {
      const preflight = preflightHeaders(corsOrigins, request.headers, allow)
      void reply.code(204).headers(preflight).header('allow', allow).send()
      return
    }
    if (methods.length === 0) {
      return done(new PublicError('route.unknown', { message: unknownRouteMessage(method, originalUrl) }))
    }
    const message = wrongMethodMessage(method, originalUrl, methods)
    done(new PublicError('route.method', { message, headers: { allow } }))
  })
}
