/** Finds the agent behind an SVID: a SPIFFE id belongs to one registered agent, or to none. */
import type { Agent, SvidKind } from '../core/call.ts'
import type { Clock, Database } from '../core/ports.ts'
import type { RefusalReason, SvidCheck } from '../svid/svid-check.ts'
import type { ShownChain } from '../svid/x509-svid.ts'
import { BY_SPIFFE_ID, createKeyCache, type KeyRow } from './key-cache.ts'
import type { SvidVerifier } from './svid-verifier.ts'

/** Why an SVID opens nothing: a reason of its own, no agent has its id, or the agent was deactivated. */
export type SvidReason = RefusalReason | 'unregistered' | 'deactivated'

/** A refused SVID. `spiffeId` and `agent` are there only when an authority of the trust bundle has signed it. */
export type SvidRefusal = Readonly<{
  status: 'svid_refused'
  credential: SvidKind
  reason: SvidReason
  spiffeId: string | undefined
  agent: Agent | undefined
}>

/** The agent, why there is none, or that agents can't be looked up. */
export type SvidAuthentication =
  | Readonly<{ status: 'authenticated'; agent: Agent }>
  | SvidRefusal
  | Readonly<{ status: 'keys_unavailable'; cause: unknown }>

/** `clear` drops what is known of agents: one that is deactivated here is refused at once. */
export type SvidAuthenticator = Readonly<{
  ofChain: (chain: ShownChain) => Promise<SvidAuthentication>
  ofToken: (token: string, hash: string) => Promise<SvidAuthentication>
  clear: () => void
}>

/** Creates it. `onError` is called when it could not be noted that an agent came. */
export function createSvidAuthenticator(
  verifier: SvidVerifier,
  database: Database,
  clock: Clock,
  onError: (cause: unknown) => void,
): SvidAuthenticator {
  const agents = createKeyCache(database, clock, onError, BY_SPIFFE_ID)

  async function authenticationOf(check: SvidCheck, credential: SvidKind): Promise<SvidAuthentication> {
    const { spiffeId } = check
    try {
      const row = spiffeId === undefined ? undefined : (agents.peek(spiffeId) ?? (await agents.lookup(spiffeId)))
      const agent = agentOf(row, credential)
      const refusal = (reason: SvidReason): SvidRefusal => ({
        ...{ status: 'svid_refused', credential, reason, spiffeId, agent },
      })
      if (check.status === 'refused') return refusal(check.reason)
      if (agent === undefined) return refusal('unregistered')
      return row?.is_active ? { status: 'authenticated', agent } : refusal('deactivated')
    } catch (cause) {
      return { status: 'keys_unavailable', cause }
    }
  }

  return {
    ofChain: async (chain) => authenticationOf(verifier.checkChain(chain), 'x509_svid'),
    ofToken: async (token, hash) => authenticationOf(await verifier.checkToken(token, hash), 'jwt_svid'),
    clear: agents.clear,
  }
}

function agentOf(row: KeyRow | undefined, credential: SvidKind): Agent | undefined {
  if (!row?.agent_id || !row.agent_uuid || !row.org_id) return undefined
  return { id: row.agent_id, uuid: row.agent_uuid, org: row.org_id, credential }
}
