/** Changes to the agent registry. Each change is in the ledger before its result, such as a new key, is returned. */

import type { Clock, Database, Ledger, Random } from '../core/ports.ts'
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
}>

/** An agent and one of its keys in plain text, returned only once. */
export type IssuedKey = Readonly<{ agent: RegisteredAgent; key: string }>

/** Why there is no result: no such agent, a name that is taken, or a change that the ledger could not store. */
export type AgentFailure =
  | Readonly<{ status: 'agent_unknown' }>
  | Readonly<{ status: 'agent_exists' }>
  | Readonly<{ status: 'unrecorded'; cause: unknown }>

/** A value, or why there is none. The functions that return one throw DatabaseError when the database fails. */
export type AgentResult<Value> = Readonly<{ status: 'done'; value: Value }> | AgentFailure

/** Returns the agent with this name or uuid. */
export async function readAgent(database: Database, name: string): Promise<AgentResult<RegisteredAgent>> {
  const agent = await findAgent(database, name)
  return agent ? { status: 'done', value: agent } : { status: 'agent_unknown' }
}

/** Registers an agent, with its first key. */
export async function createAgent(
  service: AgentService,
  agent: NewAgent,
  actor: Actor,
): Promise<AgentResult<IssuedKey>> {
  const registered = await registerAgent(service.database, service.random, agent)
  if (!registered) return { status: 'agent_exists' }
  return recorded(service, 'agent.created', registered.agent, actor, registered)
}

/** Deactivates an agent and revokes its keys, in this process at once. Returns the agent as it was. */
export async function removeAgent(
  service: AgentService,
  name: string,
  actor: Actor,
): Promise<AgentResult<RegisteredAgent>> {
  const agent = await findAgent(service.database, name)
  if (!agent) return { status: 'agent_unknown' }
  await deactivateAgent(service.database, agent)
  service.authenticator.invalidateKeys()
  return recorded(service, 'agent.deactivated', agent, actor, agent)
}

/** Rotates the agent's own key. The old key is invalid in this process at once. */
export async function rotateAgentKey(
  service: AgentService,
  name: string,
  actor: Actor,
): Promise<AgentResult<IssuedKey>> {
  const agent = await findAgent(service.database, name)
  if (!agent) return { status: 'agent_unknown' }
  const key = await rotateKey(service.database, service.random, agent)
  service.authenticator.invalidateKeys()
  return recorded(service, 'key.rotated', agent, actor, { agent, key })
}

/** Creates a key for a developer of an agent. */
export async function createDeveloperKey(
  service: AgentService,
  name: string,
  developer: Parameters<typeof insertDeveloperKey>[3],
  actor: Actor,
): Promise<AgentResult<IssuedKey>> {
  const agent = await findAgent(service.database, name)
  if (!agent) return { status: 'agent_unknown' }
  const key = await insertDeveloperKey(service.database, service.random, agent, developer)
  return recorded(service, 'key.created', agent, actor, { agent, key })
}

/** Appends a change to the ledger, and returns its value once that is durable. */
async function recorded<Value>(
  { ledger, clock, random }: AgentService,
  event: string,
  agent: RegisteredAgent,
  { principal, id }: Actor,
  value: Value,
): Promise<AgentResult<Value>> {
  const name = principal?.kind === 'person' ? `key ${principal.keyId}` : (principal?.kind ?? 'nobody')
  try {
    await ledger.append(adminEntry({ clock, random }, event, agent, name, id))
    return { status: 'done', value }
  } catch (cause) {
    return { status: 'unrecorded', cause }
  }
}
