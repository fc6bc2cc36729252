/** Licenses: a signed token (compact JWS, EdDSA over Ed25519) with organization, tier and expiry. Verified offline. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { bytesOfBase64 } from '../../contract/base64.ts'

/** The visible part of a license; without one everything works, at the tier `community`. */
export type License = Readonly<{ org: string | null; tier: string; expires: string | null }>

/** The license when there is none. */
export const COMMUNITY: License = { org: null, tier: 'community', expires: null }

/** A license that is valid, or why it is not. */
export type LicenseCheck =
  | Readonly<{ status: 'valid' | 'expired'; license: License }>
  | Readonly<{ status: 'invalid'; reason: string }>

/**
 * Given the token, the authority's public key (Ed25519, PEM) and the time, verifies the license. The payload has
 * `org` and `tier` (strings) and `expires` (YYYY-MM-DD, the last valid day). An expired license is a status of its
 * own, so that its owner can be told.
 */
export function checkLicense(token: string, authority: string | undefined, nowMs: number): LicenseCheck {
  if (authority === undefined)
    return { status: 'invalid', reason: 'there is no TAPPASS_LICENSE_AUTHORITY to check it against' }
  const [header = '', payload = '', last = '', ...rest] = token.split('.')
  const signature = bytesOfBase64(last, 'base64url')
  if (rest.length > 0 || !signature?.length) return { status: 'invalid', reason: 'it is not a token' }
  const algorithm = parsePart(header)?.['alg']
  const isSigned =
    algorithm === 'EdDSA' && verify(null, Buffer.from(`${header}.${payload}`), parseAuthority(authority), signature)
  if (!isSigned) return { status: 'invalid', reason: 'its signature is not that of TAPPASS_LICENSE_AUTHORITY' }
  const { org, tier, expires } = parsePart(payload) ?? {}
  const isWhole = typeof org === 'string' && typeof tier === 'string' && typeof expires === 'string'
  if (!isWhole || !/^\d{4}-\d{2}-\d{2}$/.test(expires))
    return { status: 'invalid', reason: 'it does not say org, tier and expires' }
  const endMs = Date.parse(`${expires}T23:59:59.999Z`)
  return { status: nowMs > endMs ? 'expired' : 'valid', license: { org, tier, expires } }
}

/** Returns the key. Throws when the text is not an Ed25519 key. */
export function parseAuthority(authority: string): KeyObject {
  const key = createPublicKey(authority)
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('the authority has no Ed25519 key')
  return key
}

function parsePart(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
