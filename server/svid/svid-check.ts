/** What is said of an SVID: whose it is, or why it is none that counts here. */

/**
 * Why an SVID is refused. `signature`: no authority of the trust bundle has signed it. `not_one_id`: it names no workload, or several.
 * `unavailable`: there is no trust bundle to check it against.
 */
export type RefusalReason =
  | 'malformed'
  | 'algorithm'
  | 'signature'
  | 'trust_domain'
  | 'not_one_id'
  | 'authority'
  | 'key_usage'
  | 'expired'
  | 'not_yet_valid'
  | 'audience'
  | 'unavailable'

/** `spiffeId` of a refused one is there only when an authority of the bundle has signed it: anything else is somebody's text. */
export type SvidCheck =
  | Readonly<{ status: 'valid'; spiffeId: string; expiresMs: number }>
  | Readonly<{ status: 'refused'; reason: RefusalReason; spiffeId?: string | undefined }>

/** Returns a refusal. */
export function refused(reason: RefusalReason, spiffeId?: string): SvidCheck {
  return { status: 'refused', reason, spiffeId }
}
