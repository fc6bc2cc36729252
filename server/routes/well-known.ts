/** The public keys with which others verify our tokens. */
import { createHash, createPublicKey } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { canonicalJson } from '../core/canonical-json.ts'

/** Adds the route. `tokenKey` is the private key in PEM; without one the set is empty. */
export function wellKnownRoutes(server: FastifyInstance, tokenKey: string | undefined): void {
  const keys = tokenKey === undefined ? [] : [publicJwk(tokenKey)]
  server.get('/.well-known/jwks.json', async (_request, reply) =>
    reply.header('cache-control', 'public, max-age=300').send({ keys }),
  )
}

/** Returns the public half with its thumbprint as `kid` (RFC 7638: SHA-256 over the required members in canonical form). */
function publicJwk(tokenKey: string): object {
  const { crv, kty, x, y } = createPublicKey(tokenKey).export({ format: 'jwk' })
  const kid = createHash('sha256').update(canonicalJson({ crv, kty, x, y })).digest('base64url')
  return { kty, crv, x, y, kid, use: 'sig', alg: 'ES256' }
}
