/** Authentication: given the headers of a request, finds the principal behind its key, or why there is none. */
import type { Agent } from '../core/call.ts'
import { PublicError } from '../core/errors.ts'
import type { Clock, Database } from '../core/ports.ts'
import { isKeyShaped, isSameHash, storedKey } from './api-key.ts'
import { createKeyCache, type KeyRow } from './key-cache.ts'
import { isAtLeast, parseRole, type Role } from './role.ts'

/** An agent with its key (or a developer's key for it), a person, or the bootstrap admin. */
export type Principal =
  | Readonly<{ kind: 'agent'; role: Role; agent: Agent }>
  | Readonly<{ kind: 'person'; role: Role; keyId: string }>
  | Readonly<{ kind: 'admin'; role: Role }>

/** Headers as Node provides them: names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * All methods throw PublicError: 401 without a valid key, 403 when the role is insufficient, 503 when keys can't be
 * looked up.
 */
export type Authenticator = Readonly<{
  /** Authenticates an agent on a governed route. */
  authenticateAgent: (headers: Headers) => Promise<Agent>
  /** Authenticates a principal that has at least this role. */
  authorize: (headers: Headers, requiredRole: Role) => Promise<Principal>
  /** Clears cached keys. Called when a key is revoked through this process, so that it is invalid here at once. */
  invalidateKeys: () => void
}>

/**
 * Creates the authenticator. Without an admin key there is no bootstrap admin. `last_used_at` is updated in the
 * background; `onError` is called when that fails, which has no other effect.
 */
export function createAuthenticator(
  database: Database,
  adminKey: string | undefined,
  clock: Clock,
  onError: (cause: unknown) => void,
): Authenticator {
  const keys = createKeyCache(database, clock, onError)
  const adminHash = adminKey === undefined ? undefined : storedKey(adminKey).hash

  /** Answers synchronously when the key is cached, as nearly all are. */
  function identify(headers: Headers): Principal | Promise<Principal> {
    const key = keyOf(headers)
    if (key === undefined) throw new PublicError('auth.missing')
    const { hash } = storedKey(key)
    if (adminHash !== undefined && isSameHash(hash, adminHash)) return { kind: 'admin', role: 'PLATFORM' }
    if (!isKeyShaped(key)) throw new PublicError('auth.invalid')
    const cached = keys.peek(hash)
    return cached ? principalOf(cached, clock.nowMs()) : lookupPrincipal(hash)
  }

  async function lookupPrincipal(hash: string): Promise<Principal> {
    const row = await keys.lookup(hash).catch((cause: unknown) => {
      throw new PublicError('store.unavailable', { cause })
    })
    return principalOf(row, clock.nowMs())
  }

  return {
    authenticateAgent: async (headers) => {
      const known = identify(headers)
      const principal = known instanceof Promise ? await known : known
      if (principal.kind !== 'agent')
        throw new PublicError('auth.role', { message: 'This route wants the key of an agent.' })
      return principal.agent
    },
    authorize: async (headers, requiredRole) => {
      const principal = await identify(headers)
      if (!isAtLeast(principal.role, requiredRole)) throw new PublicError('auth.role')
      return principal
    },
    invalidateKeys: keys.clear,
  }
}

/** Reads the key from `Authorization: Bearer` or, as Anthropic's clients send it, from `x-api-key`. */
function keyOf(headers: Headers): string | undefined {
  const { authorization } = headers
  const bearer = typeof authorization === 'string' ? /^Bearer +(\S+)$/i.exec(authorization)?.[1] : undefined
  const apiKey = headers['x-api-key']
  return bearer ?? (typeof apiKey === 'string' && apiKey !== '' ? apiKey : undefined)
}

function principalOf(row: KeyRow | undefined, nowMs: number): Principal {
  if (!row) throw new PublicError('auth.invalid')
  if (row.revoked_at) throw new PublicError('auth.revoked', { details: { reason: 'revoked' } })
  if (row.expires_at && row.expires_at.getTime() <= nowMs) {
    throw new PublicError('auth.expired', { details: { reason: 'expired' } })
  }
  if (row.agent_id && row.agent_uuid && row.org_id) {
    if (!row.is_active) throw new PublicError('auth.revoked', { details: { reason: 'revoked' } })
    return { kind: 'agent', role: 'AGENT', agent: { id: row.agent_id, uuid: row.agent_uuid, org: row.org_id } }
  }
  const role = row.kind === 'pat' ? parseRole(row.role ?? '') : undefined
  if (!role) throw new PublicError('auth.invalid')
  return { kind: 'person', role, keyId: row.id }
}
