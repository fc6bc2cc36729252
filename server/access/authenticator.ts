/** Authentication: given the headers of a request, finds the principal behind its key, or why there is none. */
import type { Agent } from '../core/call.ts'
import type { Clock, Database } from '../core/ports.ts'
import { isTokenShaped } from '../svid/jwt-svid.ts'
import type { ShownChain } from '../svid/x509-svid.ts'
import { isKeyShaped, isSameHash, storedKey } from './api-key.ts'
import { createKeyCache, type KeyRow } from './key-cache.ts'
import { isAtLeast, parseRole, type Role } from './role.ts'
import type { SvidAuthentication, SvidAuthenticator, SvidRefusal } from './svid-authenticator.ts'

/** An agent with its key (or a developer's key for it), a person, or the bootstrap admin. */
export type Principal =
  | Readonly<{ kind: 'agent'; role: Role; agent: Agent }>
  | Readonly<{ kind: 'person'; role: Role; keyId: string }>
  | Readonly<{ kind: 'admin'; role: Role }>

/** Headers as Node provides them: names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Why a request is not authenticated, or not authorized. `key_foreign`: what was sent is no key of ours.
 * `keys_unavailable`: keys can't be looked up. `svid_missing`: the connection takes SVIDs only, and has none.
 */
export type AuthenticationFailure =
  | Readonly<{
      status:
        | 'key_missing'
        | 'key_invalid'
        | 'key_foreign'
        | 'key_revoked'
        | 'key_expired'
        | 'agent_deactivated'
        | 'role_insufficient'
        | 'not_an_agent'
        | 'svid_missing'
    }>
  | SvidRefusal
  | Readonly<{ status: 'keys_unavailable'; cause: unknown }>

/** The principal of a request, or why it has none. */
export type Authentication = Readonly<{ status: 'authenticated'; principal: Principal }> | AuthenticationFailure

/** The agent of a request, or why it has none. */
export type AgentAuthentication = Readonly<{ status: 'authenticated'; agent: Agent }> | AuthenticationFailure

/** Finds out who makes a request. Nothing is thrown: a failure is a value. */
export type Authenticator = Readonly<{
  /** Authenticates an agent on a governed route. `chain` is what the client of an mTLS connection has shown; another connection has none. */
  authenticateAgent: (headers: Headers, chain?: ShownChain) => Promise<AgentAuthentication>
  /** Authenticates a principal that has at least this role. */
  authorize: (headers: Headers, requiredRole: Role, chain?: ShownChain) => Promise<Authentication>
  /** Clears cached keys. Called when a key is revoked through this process, so that it is invalid here at once. */
  invalidateKeys: () => void
}>

/**
 * Creates the authenticator. Each of the admin keys is the bootstrap admin's: two while one is rotated, none: there is no such admin. `last_used_at` is updated in the
 * background; `onError` is called when that fails, which has no other effect. Without `svids` no SVID is accepted.
 */
export function createAuthenticator(
  database: Database,
  adminKeys: readonly string[],
  clock: Clock,
  onError: (cause: unknown) => void,
  svids?: SvidAuthenticator,
): Authenticator {
  const keys = createKeyCache(database, clock, onError)
  const adminHashes = adminKeys.map((adminKey) => storedKey(adminKey).hash)

  async function authenticate(headers: Headers, chain: ShownChain | undefined): Promise<Authentication> {
    const key = keyOf(headers)
    if (chain !== undefined) return principalOf(await connectionOf(svids, chain, key))
    if (key === undefined) return { status: 'key_missing' }
    const { hash } = storedKey(key)
    if (adminHashes.some((adminHash) => isSameHash(hash, adminHash)))
      return authenticated({ kind: 'admin', role: 'PLATFORM' })
    if (!isKeyShaped(key)) {
      if (svids && isTokenShaped(key)) return principalOf(await svids.ofToken(key, hash))
      return { status: key.startsWith('tp_') ? 'key_invalid' : 'key_foreign' }
    }
    try {
      // Nearly all keys are cached.
      return authenticationOf(keys.peek(hash) ?? (await keys.lookup(hash)), clock.nowMs())
    } catch (cause) {
      return { status: 'keys_unavailable', cause }
    }
  }

  return {
    authenticateAgent: async (headers, chain) => {
      const authentication = await authenticate(headers, chain)
      if (authentication.status !== 'authenticated') return authentication
      const { principal } = authentication
      return principal.kind === 'agent'
        ? { status: 'authenticated', agent: principal.agent }
        : { status: 'not_an_agent' }
    },
    authorize: async (headers, requiredRole, chain) => {
      const authentication = await authenticate(headers, chain)
      if (authentication.status !== 'authenticated') return authentication
      return isAtLeast(authentication.principal.role, requiredRole) ? authentication : { status: 'role_insufficient' }
    },
    invalidateKeys: () => {
      keys.clear()
      svids?.clear()
    },
  }
}

/** A certificate that is shown is who it is, whatever the headers say; without one a token may be. An API key is neither. */
async function connectionOf(
  svids: SvidAuthenticator | undefined,
  chain: ShownChain,
  key: string | undefined,
): Promise<SvidAuthentication | AuthenticationFailure> {
  if (svids && chain.certificates.length > 0) return svids.ofChain(chain)
  if (svids && key !== undefined && isTokenShaped(key)) return svids.ofToken(key, storedKey(key).hash)
  return { status: 'svid_missing' }
}

/** Reads the key from `Authorization: Bearer` or, as Anthropic's clients send it, from `x-api-key`. */
function keyOf(headers: Headers): string | undefined {
  const { authorization } = headers
  const bearer = typeof authorization === 'string' ? /^Bearer +(\S+)$/i.exec(authorization)?.[1] : undefined
  const apiKey = headers['x-api-key']
  return bearer ?? (typeof apiKey === 'string' && apiKey !== '' ? apiKey : undefined)
}

/** Returns the principal of a key's row, or why the key is no longer one. */
function authenticationOf(row: KeyRow | undefined, nowMs: number): Authentication {
  if (!row) return { status: 'key_invalid' }
  if (row.revoked_at) return { status: 'key_revoked' }
  if (row.expires_at && row.expires_at.getTime() <= nowMs) return { status: 'key_expired' }
  if (row.agent_id && row.agent_uuid && row.org_id) {
    if (!row.is_active) return { status: 'agent_deactivated' }
    const agent = { id: row.agent_id, uuid: row.agent_uuid, org: row.org_id }
    return authenticated({ kind: 'agent', role: 'AGENT', agent })
  }
  const role = row.kind === 'pat' ? parseRole(row.role ?? '') : undefined
  return role ? authenticated({ kind: 'person', role, keyId: row.id }) : { status: 'key_invalid' }
}

function principalOf(authentication: SvidAuthentication | AuthenticationFailure): Authentication {
  if (authentication.status !== 'authenticated') return authentication
  return authenticated({ kind: 'agent', role: 'AGENT', agent: authentication.agent })
}

function authenticated(principal: Principal): Authentication {
  return { status: 'authenticated', principal }
}
