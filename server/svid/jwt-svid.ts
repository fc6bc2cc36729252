/** JWT-SVIDs: what a bearer token has to be (JWT-SVID.md, sections 2 to 4). */
import type { JWK } from 'jose'
import { parseSpiffeId } from '../../contract/spiffe-id.ts'
import { type RefusalReason, refused, type SvidCheck } from './svid-check.ts'

/** The algorithms that a JWT-SVID may have: each signs with a key that only its authority has. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512']

/** Longer ones are not looked at. SPIRE's have some 600 characters, most of them those of two SPIFFE IDs. */
export const TOKEN_CHARS_MAX = 8192

/** What a token has to say. */
export type TokenDemand = Readonly<{ trustDomain: string; audience: string }>

/** Given a token and the time, says whose it is. Never rejects. */
export type TokenCheck = (token: string, nowMs: number) => Promise<SvidCheck>

/** True for what may be a JWT: three parts, of which the first begins like a JSON object in base64url. */
export function isTokenShaped(text: string): boolean {
  return text.startsWith('ey') && /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)
}

/** Creates the check of tokens against the keys of a bundle. The library is loaded here: it is a tenth of a gateway's start. */
export async function createTokenCheck(
  keys: readonly JWK[],
  { trustDomain, audience }: TokenDemand,
): Promise<TokenCheck> {
  const jose = await import('jose')
  const keySet = jose.createLocalJWKSet({ keys: [...keys] })
  return async (token, nowMs) => {
    if (token.length > TOKEN_CHARS_MAX) return refused('malformed')
    try {
      const { kid, typ, alg } = jose.decodeProtectedHeader(token)
      if (alg === undefined || !ALGORITHMS.includes(alg)) return refused('algorithm')
      if (typeof kid !== 'string' || (typ !== undefined && typ !== 'JWT' && typ !== 'JOSE')) return refused('malformed')
      const { payload } = await jose.jwtVerify(token, keySet, {
        algorithms: ALGORITHMS,
        audience,
        currentDate: new Date(nowMs),
        requiredClaims: ['aud', 'exp', 'sub'],
      })
      const { sub = '', exp = 0 } = payload
      const id = parseSpiffeId(sub)
      if (id === undefined) return refused('not_one_id')
      if (id.trustDomain !== trustDomain) return refused('trust_domain', sub)
      return { status: 'valid', spiffeId: sub, expiresMs: exp * 1000 }
    } catch (cause) {
      const { reason, spiffeId } = causeOf(jose, cause)
      return reason === 'signature' && isForeign(jose, token, trustDomain)
        ? refused('trust_domain')
        : refused(reason, spiffeId)
    }
  }
}

type Jose = typeof import('jose')

/** What an error of the library says; with the subject where the signature holds, and the claims do not. */
function causeOf({ errors }: Jose, cause: unknown): Readonly<{ reason: RefusalReason; spiffeId?: string | undefined }> {
  if (cause instanceof errors.JWTExpired || cause instanceof errors.JWTClaimValidationFailed) {
    const { sub } = cause.payload
    const spiffeId = typeof sub === 'string' && parseSpiffeId(sub) ? sub : undefined
    if (cause instanceof errors.JWTExpired) return { reason: 'expired', spiffeId }
    if (cause.claim === 'aud') return { reason: 'audience', spiffeId }
    const isEarly = cause.claim === 'nbf' && cause.reason === 'check_failed'
    return { reason: isEarly ? 'not_yet_valid' : 'malformed', spiffeId }
  }
  const isUnsigned = cause instanceof errors.JWSSignatureVerificationFailed || cause instanceof errors.JWKSNoMatchingKey
  return { reason: isUnsigned ? 'signature' : 'malformed' }
}

/** True for a token that says that it is of another trust domain. */
function isForeign({ decodeJwt }: Jose, token: string, trustDomain: string): boolean {
  try {
    const id = parseSpiffeId(decodeJwt(token).sub ?? '')
    return id !== undefined && id.trustDomain !== trustDomain
  } catch {
    return false
  }
}
