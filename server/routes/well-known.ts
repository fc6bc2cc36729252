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

/** Adds the route. `tokenKeys` are private keys in PEM: the one that signs first, and the next one while it is rotated. Without any the set is empty. */
export function wellKnownRoutes(server: FastifyInstance, tokenKeys: readonly string[]): void {
  const keys = tokenKeys.map(publicJwk)
  server.get(
    '/.well-known/jwks.json',
    {
      schema: {
        summary: 'The public key of our tokens (ES256), and the next one while it is rotated',
        tags: ['Health'],
        response: { 200: KEY_SET },
      },
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
