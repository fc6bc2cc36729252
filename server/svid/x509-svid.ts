/** X.509-SVIDs: what a client's certificate has to be (X509-SVID.md, section 5), beside what OpenSSL has checked in the handshake. */
import type { X509Certificate } from 'node:crypto'
import { parseSpiffeId } from '../../contract/spiffe-id.ts'
import { readExtensions } from './certificate-extension.ts'
import { refused, type SvidCheck } from './svid-check.ts'

/** Certificates between a leaf and an authority of the bundle, at most. */
const INTERMEDIATES_MAX = 8

/** What a client has shown: its leaf first. `error` is OpenSSL's verdict on the chain; undefined when it holds. */
export type ShownChain = Readonly<{ certificates: readonly X509Certificate[]; error: string | undefined }>

/** Given what was shown, the authorities of the bundle and their trust domain, says whose it is. Never throws. */
export function checkX509Svid(...given: Parameters<typeof check>): SvidCheck {
  try {
    return check(...given)
  } catch {
    return refused('malformed')
  }
}

function check(
  { certificates, error }: ShownChain,
  authorities: readonly X509Certificate[],
  trustDomain: string,
  nowMs: number,
): SvidCheck {
  const [leaf, ...intermediates] = certificates
  if (leaf === undefined) return refused('malformed')
  const { uris, keyUsage, isAuthority } = readExtensions(leaf)
  const isCurrent = (each: X509Certificate): boolean => isValidAt(each, nowMs)
  // An authority may be in the bundle twice, with one key: certified again before its first certificate expires.
  const path =
    pathToAuthority(leaf, intermediates.filter(isCurrent), authorities.filter(isCurrent)) ??
    pathToAuthority(leaf, intermediates, authorities)
  const id = parseSpiffeId(uris[0] ?? '')
  const isForeign = id !== undefined && id.trustDomain !== trustDomain
  if (path === undefined) return refused(isForeign ? 'trust_domain' : 'signature')
  const [spiffeId] = uris
  if (uris.length !== 1 || spiffeId === undefined || id === undefined) return refused('not_one_id')
  if (isForeign) return refused('trust_domain', spiffeId)
  if (leaf.ca || isAuthority) return refused('authority', spiffeId)
  if (!keyUsage?.hasDigitalSignature || keyUsage.hasKeyCertSign || keyUsage.hasCrlSign)
    return refused('key_usage', spiffeId)
  if (path.some(({ validToDate }) => validToDate.getTime() <= nowMs)) return refused('expired', spiffeId)
  if (path.some(({ validFromDate }) => validFromDate.getTime() > nowMs)) return refused('not_yet_valid', spiffeId)
  if (error !== undefined) return refused(error === 'INVALID_PURPOSE' ? 'key_usage' : 'signature', spiffeId)
  const expiresMs = Math.min(...path.map(({ validToDate }) => validToDate.getTime()))
  return { status: 'valid', spiffeId, expiresMs }
}

/**
 * Returns the leaf, and what signed it, up to an authority of the bundle; undefined when no authority has signed it. OpenSSL's verdict is one error of
 * perhaps several, so it does not tell who has signed a certificate that is expired as well.
 */
export function pathToAuthority(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): readonly X509Certificate[] | undefined {
  const path = [leaf]
  for (let signed = leaf; path.length <= INTERMEDIATES_MAX + 1; ) {
    const authority = authorities.find((each) => hasSigned(each, signed))
    if (authority) return [...path, authority]
    const next = intermediates.find((each) => !path.includes(each) && hasSigned(each, signed))
    if (next === undefined) return undefined
    path.push(next)
    signed = next
  }
  return undefined
}

function isValidAt({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && validToDate.getTime() > nowMs
}

function hasSigned(issuer: X509Certificate, signed: X509Certificate): boolean {
  return issuer.ca && signed.checkIssued(issuer) && signed.verify(issuer.publicKey)
}
