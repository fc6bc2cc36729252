/** The public keys with which others verify our tokens. */
import { createHash, createPublicKey } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import * as v from 'valibot'
import { canonicalJson } from '../core/canonical-json.ts'

const PUBLIC_KEY = v.object({
  kty: v.literal('EC'),
  crv: v.literal('P-256'),
  x: v.string(),
  y: v.string(),
  kid: v.pipe(v.string(), v.description('The thumbprint of the key (RFC 7638)')),
  use: v.literal('sig'),
  alg: v.literal('ES256'),
})

const KEY_SET = v.pipe(v.object({ keys: v.array(PUBLIC_KEY) }), v.description('A JSON Web Key Set'))

/** Adds the route. `tokenKey` is the private key in PEM; without one the set is empty. */
export function wellKnownRoutes(server: FastifyInstance, tokenKey: string | undefined): void {
  const keys = tokenKey === undefined ? [] : [publicJwk(tokenKey)]
  server.get(
    '/.well-known/jwks.json',
    {
      schema: { summary: 'The public key of our tokens (ES256)', tags: ['Health'], response: { 200: KEY_SET } },
      config: { leastRole: 'open', errors: [] },
    },
    async (_request, reply) => reply.header('cache-control', 'public, max-age=300').send({ keys }),
  )
}

/** Returns the public half with its thumbprint as `kid` (RFC 7638: SHA-256 over the required members in canonical form). */
function publicJwk(tokenKey: string): object {
  const { crv, kty, x, y } = createPublicKey(tokenKey).export({ format: 'jwk' })
  const kid = createHash('sha256').update(canonicalJson({ crv, kty, x, y })).digest('base64url')
  return { kty, crv, x, y, kid, use: 'sig', alg: 'ES256' }
}
