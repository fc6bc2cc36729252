/** SPIFFE IDs, as SPIFFE's own specification writes them: a trust domain and a path, in few characters and without escapes. */

/** The name of a workload: `spiffe://TRUST_DOMAIN/PATH`. `path` begins with a slash. */
export type SpiffeId = Readonly<{ trustDomain: string; path: string }>

/** Lengths in bytes; every allowed character is one. */
const TRUST_DOMAIN_BYTES_MAX = 255
const SPIFFE_ID_BYTES_MAX = 2048

/** True for a name of a trust domain: lower case, and no port, user or escape. */
export function isTrustDomain(text: string): boolean {
  return text.length <= TRUST_DOMAIN_BYTES_MAX && /^[a-z0-9._-]+$/.test(text)
}

/** Returns the parts of a workload's SPIFFE ID; undefined for anything else, and for the id of a trust domain itself. */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > SPIFFE_ID_BYTES_MAX) return undefined
  const [, trustDomain = '', path = ''] = /^spiffe:\/\/([^/]*)((?:\/[A-Za-z0-9._-]+)+)$/.exec(text) ?? []
  const isNormal = path.split('/').every((segment) => segment !== '.' && segment !== '..')
  return isTrustDomain(trustDomain) && isNormal ? { trustDomain, path } : undefined
}

/** Says why a text is no SPIFFE ID of a workload in this trust domain; undefined when it is one. */
export function spiffeIdProblem(text: string, trustDomain: string): string | undefined {
  const id = parseSpiffeId(text)
  if (id === undefined) return `is no SPIFFE ID of a workload (spiffe://${trustDomain}/path, without ?, # and escapes)`
  return id.trustDomain === trustDomain ? undefined : `is not in the trust domain ${trustDomain}`
}
