/** Licenses: a signed token (compact JWS, EdDSA over Ed25519) with organization, tier and expiry. Issued and verified offline. */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { bytesOfBase64 } from './base64.ts'

/** The visible part of a license; without one everything works, at the tier `community`. */
export type License = Readonly<{ org: string | null; tier: string; expires: string | null }>

/** What a license says. */
export type IssuedLicense = Readonly<{ org: string; tier: string; expires: string }>

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
  const endMs = isWhole ? licenseEndMs(expires) : undefined
  if (!isWhole || endMs === undefined) return { status: 'invalid', reason: 'it does not say org, tier and expires' }
  return { status: nowMs > endMs ? 'expired' : 'valid', license: { org, tier, expires } }
}

/** Returns the last moment of the last valid day (YYYY-MM-DD); undefined for what is no day of the calendar. */
export function licenseEndMs(expires: string): number | undefined {
  const endMs = Date.parse(`${expires}T23:59:59.999Z`)
  // 2027-02-31 is taken for a day in March, and a time that is none never passes.
  const isDay = Number.isFinite(endMs) && new Date(endMs).toISOString().slice(0, 10) === expires
  return isDay ? endMs : undefined
}

/** Returns the token of a license. `key` is the private Ed25519 key of an authority. */
export function issueLicense(license: IssuedLicense, key: KeyObject): string {
  const signed = [{ alg: 'EdDSA', typ: 'JWT' }, license]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`
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
