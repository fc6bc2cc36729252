/** Which SPIFFE identity a request has: that of its connection's certificate, or else of its token. */
import type { X509Certificate } from 'node:crypto'
import type { Clock } from '../core/ports.ts'
import type { TokenCheck } from '../svid/jwt-svid.ts'
import { refused, type SvidCheck } from '../svid/svid-check.ts'
import { checkX509Svid, type ShownChain } from '../svid/x509-svid.ts'

/** What SVIDs are checked against. It changes with the files of the trust bundle; undefined is what is not there yet. */
export type Trust = Readonly<{
  trustDomain: string
  authorities: readonly X509Certificate[] | undefined
  checkToken: TokenCheck | undefined
}>

/** Tokens whose check is remembered at once. */
const TOKENS_MAX = 10_000

/** Checks SVIDs. What was valid is remembered until it expires or the bundle changes. */
export type SvidVerifier = Readonly<{
  checkChain: (chain: ShownChain) => SvidCheck
  /** `hash` is that of the token. */
  checkToken: (token: string, hash: string) => Promise<SvidCheck>
}>

type Valid = Readonly<{ status: 'valid'; spiffeId: string; expiresMs: number }>

/** Creates it; `trust` gives what counts now. */
export function createSvidVerifier(trust: () => Trust, clock: Clock): SvidVerifier {
  const chains = new WeakMap<ShownChain, Readonly<{ check: Valid; authorities: unknown }>>()
  const tokens = new Map<string, Readonly<{ check: Valid; by: TokenCheck }>>()
  return {
    checkChain: (chain) => {
      const { authorities, trustDomain } = trust()
      const nowMs = clock.nowMs()
      const known = chains.get(chain)
      if (known && known.authorities === authorities && known.check.expiresMs > nowMs) return known.check
      if (authorities === undefined) return refused('unavailable')
      const check = checkX509Svid(chain, authorities, trustDomain, nowMs)
      if (check.status === 'valid') chains.set(chain, { check, authorities })
      return check
    },
    checkToken: async (token, hash) => {
      const by = trust().checkToken
      const nowMs = clock.nowMs()
      const known = tokens.get(hash)
      if (known && known.by === by && known.check.expiresMs > nowMs) return known.check
      if (by === undefined) return refused('unavailable')
      const check = await by(token, nowMs)
      if (tokens.size >= TOKENS_MAX) tokens.clear()
      if (check.status === 'valid') tokens.set(hash, { check, by })
      return check
    },
  }
}
