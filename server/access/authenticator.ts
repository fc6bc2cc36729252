/** Who is knocking: takes the headers of a request, gives the principal behind its key, or says why there is none. */
import type { Agent } from '../core/call.ts'
import { PublicError } from '../core/errors.ts'
import type { Clock, Database } from '../core/ports.ts'
import { isKeyShaped, isSameHash, storedKey } from './api-key.ts'
import { type KnownKey, makeKnownKeys } from './key-cache.ts'
import { isAtLeast, parseRole, type Role } from './role.ts'

/** An agent with its key (or a developer's key for it), a person, or the bootstrap admin. */
export type Principal =
  | Readonly<{ kind: 'agent'; role: Role; agent: Agent }>
  | Readonly<{ kind: 'person'; role: Role; keyId: string }>
  | Readonly<{ kind: 'admin'; role: Role }>

/** Headers as Node gives them: names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** All methods throw PublicError: 401 without a valid key, 403 when the role may not, 503 when keys can't be looked up. */
export type Door = Readonly<{
  /** Admits agents to the governed routes. */
  admitAgent: (headers: Headers) => Promise<Agent>
  /** Admits whoever has at least this role. */
  admit: (headers: Headers, least: Role) => Promise<Principal>
  /** Forgets what it knows of keys. Called when a key is revoked through this process, which makes that immediate here. */
  forget: () => void
}>

/**
 * Makes the door. Without an admin key nobody is the bootstrap admin. When a key was last used is noted in the background;
 * `report` hears when that fails, which changes nothing else.
 */
export function makeDoor(
  database: Database,
  adminKey: string | undefined,
  clock: Clock,
  report: (cause: unknown) => void,
): Door {
  const keys = makeKnownKeys(database, clock, report)
  const adminHash = adminKey === undefined ? undefined : storedKey(adminKey).hash

  /** Says at once who it is when the key was looked up a moment ago, as nearly all have been. */
  function identify(headers: Headers): Principal | Promise<Principal> {
    const key = keyOf(headers)
    if (key === undefined) throw new PublicError('auth.missing')
    const { hash } = storedKey(key)
    if (adminHash !== undefined && isSameHash(hash, adminHash)) return { kind: 'admin', role: 'PLATFORM' }
    if (!isKeyShaped(key)) throw new PublicError('auth.invalid')
    const believed = keys.recall(hash)
    return believed ? principalOf(believed, clock.nowMs()) : lookUp(hash)
  }

  async function lookUp(hash: string): Promise<Principal> {
    const found = await keys.look(hash).catch((cause: unknown) => {
      throw new PublicError('store.unavailable', { cause })
    })
    return principalOf(found, clock.nowMs())
  }

  return {
    admitAgent: async (headers) => {
      const known = identify(headers)
      const principal = known instanceof Promise ? await known : known
      if (principal.kind !== 'agent')
        throw new PublicError('auth.role', { message: 'This route wants the key of an agent.' })
      return principal.agent
    },
    admit: async (headers, least) => {
      const principal = await identify(headers)
      if (!isAtLeast(principal.role, least)) throw new PublicError('auth.role')
      return principal
    },
    forget: keys.forget,
  }
}

/** Takes the key from `Authorization: Bearer` or, as Anthropic's clients send it, from `x-api-key`. */
function keyOf(headers: Headers): string | undefined {
  const { authorization } = headers
  const bearer = typeof authorization === 'string' ? /^Bearer +(\S+)$/i.exec(authorization)?.[1] : undefined
  const alone = headers['x-api-key']
  return bearer ?? (typeof alone === 'string' && alone !== '' ? alone : undefined)
}

function principalOf(found: KnownKey | undefined, nowMs: number): Principal {
  if (!found) throw new PublicError('auth.invalid')
  if (found.revoked_at) throw new PublicError('auth.revoked', { details: { reason: 'revoked' } })
  if (found.expires_at && found.expires_at.getTime() <= nowMs) {
    throw new PublicError('auth.expired', { details: { reason: 'expired' } })
  }
  if (found.agent_id && found.agent_uuid && found.org_id) {
    if (!found.is_active) throw new PublicError('auth.revoked', { details: { reason: 'revoked' } })
    return { kind: 'agent', role: 'AGENT', agent: { id: found.agent_id, uuid: found.agent_uuid, org: found.org_id } }
  }
  const role = found.kind === 'pat' ? parseRole(found.role ?? '') : undefined
  if (!role) throw new PublicError('auth.invalid')
  return { kind: 'person', role, keyId: found.id }
}
