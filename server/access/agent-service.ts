/** Changes to the agent registry. Each change and its entry in the ledger are one transaction. */

import { spiffeIdProblem } from '../../contract/spiffe-id.ts'
import type { Change, Clock, Database, Ledger, Random } from '../core/ports.ts'
import { DatabaseError, hasSqlState, UNIQUE_VIOLATION } from '../database/database-error.ts'
import { adminEntry } from '../ledger/entry-builder.ts'
import {
  deactivateAgent,
  findAgent,
  insertDeveloperKey,
  type NewAgent,
  type RegisteredAgent,
  registerAgent,
  rotateKey,
} from './agent-store.ts'
import type { Authenticator, Principal } from './authenticator.ts'

/** Who makes a change, and in which request. */
export type Actor = Readonly<{ principal: Principal | undefined; id: string }>

/** What the changes need. */
export type AgentService = Readonly<{
  authenticator: Authenticator
  database: Database
  ledger: Ledger
  clock: Clock
  random: Random
  /** The trust domain that SPIFFE ids have to be in; undefined when SVIDs are not accepted. */
  trustDomain: string | undefined
}>

/** An agent and one of its keys in plain text, returned only once. */
export type IssuedKey = Readonly<{ agent: RegisteredAgent; key: string }>

/** An agent and its first key, or none: one with a SPIFFE id comes without. */
export type CreatedAgent = Readonly<{ agent: RegisteredAgent; key: string | undefined }>

/** Why there is no result: no such agent, a name or an id that is taken or can't be, or a change that the ledger could not store. */
export type AgentFailure =
  | Readonly<{ status: 'agent_unknown' }>
  | Readonly<{ status: 'agent_exists' | 'spiffe_id_taken' }>
  | Readonly<{ status: 'spiffe_id_invalid'; problem: string }>
  | Readonly<{ status: 'unrecorded'; cause: unknown }>

/** A value, or why there is none. The functions that return one throw DatabaseError when the database fails. */
export type AgentResult<Value> = Readonly<{ status: 'done'; value: Value }> | AgentFailure

/** Returns the agent with this name or uuid. */
export async function readAgent(database: Database, name: string): Promise<AgentResult<RegisteredAgent>> {
  const agent = await findAgent(database, name)
  return agent ? { status: 'done', value: agent } : { status: 'agent_unknown' }
}

/** Registers an agent: with its first key, or with a SPIFFE id of the trust domain. */
export async function createAgent(
  service: AgentService,
  agent: NewAgent,
  actor: Actor,
): Promise<AgentResult<CreatedAgent>> {
  const problem = idProblem(agent.spiffe_id, service.trustDomain)
  if (problem !== undefined) return { status: 'spiffe_id_invalid', problem }
  try {
    const result = await changed(service, 'agent.created', actor, async (transaction) => {
      const registered = await registerAgent(transaction, service.random, agent)
      return { agent: registered.agent, value: registered }
    })
    // A workload may have come before, and be known as nobody.
    if (agent.spiffe_id !== undefined) service.authenticator.invalidateKeys()
    return result
  } catch (cause) {
    if (!hasSqlState(cause, UNIQUE_VIOLATION)) throw cause
    const isNameTaken = (await findAgent(service.database, agent.agent_id)) !== undefined
    return { status: isNameTaken ? 'agent_exists' : 'spiffe_id_taken' }
  }
}

function idProblem(spiffeId: string | undefined, trustDomain: string | undefined): string | undefined {
  if (spiffeId === undefined) return undefined
  if (trustDomain === undefined) return 'this gateway takes no SVIDs (TAPPASS_SPIFFE_TRUST_DOMAIN)'
  return spiffeIdProblem(spiffeId, trustDomain)
}

/** Deactivates an agent and revokes its keys, in this process at once. Returns the agent as it was. */
export async function removeAgent(
  service: AgentService,
  name: string,
  actor: Actor,
): Promise<AgentResult<RegisteredAgent>> {
  const result = await changed(service, 'agent.deactivated', actor, async (transaction) => {
    const agent = await findAgent(transaction, name)
    if (agent) await deactivateAgent(transaction, agent)
    return agent && { agent, value: agent }
  })
  service.authenticator.invalidateKeys()
  return result
}

/** Rotates the agent's own key. The old key is invalid in this process at once. */
export async function rotateAgentKey(
  service: AgentService,
  name: string,
  actor: Actor,
): Promise<AgentResult<IssuedKey>> {
  const result = await changed(service, 'key.rotated', actor, async (transaction) => {
    const agent = await findAgent(transaction, name)
    return agent && { agent, value: { agent, key: await rotateKey(transaction, service.random, agent) } }
  })
  service.authenticator.invalidateKeys()
  return result
}

/** Creates a key for a developer of an agent. */
export async function createDeveloperKey(
  service: AgentService,
  name: string,
  developer: Parameters<typeof insertDeveloperKey>[3],
  actor: Actor,
): Promise<AgentResult<IssuedKey>> {
  return changed(service, 'key.created', actor, async (transaction) => {
    const agent = await findAgent(transaction, name)
    if (!agent) return undefined
    return { agent, value: { agent, key: await insertDeveloperKey(transaction, service.random, agent, developer) } }
  })
}

/** Who it was, as the ledger names it: never an address. */
export function actorName({ principal }: Pick<Actor, 'principal'>): string {
  return principal?.kind === 'person' ? `key ${principal.keyId}` : (principal?.kind ?? 'nobody')
}

/** What a change made of which agent; undefined when there is no such agent. */
type AgentChange<Value> = Readonly<{ agent: RegisteredAgent; value: Value }> | undefined

/** Makes a change and its entry. Returns its value once both are durable. */
async function changed<Value>(
  { ledger, clock, random }: AgentService,
  event: string,
  actor: Actor,
  change: (transaction: Database) => Promise<AgentChange<Value>>,
): Promise<AgentResult<Value>> {
  try {
    return await ledger.change(async (transaction): Promise<Change<AgentResult<Value>>> => {
      const made = await change(transaction)
      if (!made) return { value: { status: 'agent_unknown' } }
      const entry = adminEntry({ clock, random }, event, made.agent, actorName(actor), actor.id)
      return { value: { status: 'done', value: made.value }, entry }
    })
  } catch (cause) {
    if (cause instanceof DatabaseError) throw cause
    return { status: 'unrecorded', cause }
  }
}
