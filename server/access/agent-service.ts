/** Changes to the agent registry. Each change is in the ledger before its result, such as a new key, is returned. */

import { PublicError } from '../core/errors.ts'
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

/** Returns the agent with this name or uuid. Throws PublicError when there is none. */
export async function requireAgent(database: Database, name: string): Promise<RegisteredAgent> {
  const agent = await findAgent(database, name)
  if (!agent) throw new PublicError('agent.unknown')
  return agent
}

/** Registers an agent. Throws PublicError when its name is taken. */
export async function createAgent(service: AgentService, agent: NewAgent, actor: Actor): Promise<IssuedKey> {
  const registered = await registerAgent(service.database, service.random, agent)
  if (!registered) throw new PublicError('agent.exists')
  await appendAdminEvent(service, 'agent.created', registered.agent, actor)
  return registered
}

/** Deactivates an agent and revokes its keys, in this process at once. */
export async function removeAgent(service: AgentService, name: string, actor: Actor): Promise<void> {
  const agent = await requireAgent(service.database, name)
  await deactivateAgent(service.database, agent)
  service.authenticator.invalidateKeys()
  await appendAdminEvent(service, 'agent.deactivated', agent, actor)
}

/** Rotates the agent's own key. The old key is invalid in this process at once. */
export async function rotateAgentKey(service: AgentService, name: string, actor: Actor): Promise<IssuedKey> {
  const agent = await requireAgent(service.database, name)
  const key = await rotateKey(service.database, service.random, agent)
  service.authenticator.invalidateKeys()
  await appendAdminEvent(service, 'key.rotated', agent, actor)
  return { agent, key }
}

/** Creates a key for a developer of an agent. */
export async function createDeveloperKey(
  service: AgentService,
  name: string,
  developer: Parameters<typeof insertDeveloperKey>[3],
  actor: Actor,
): Promise<IssuedKey> {
  const agent = await requireAgent(service.database, name)
  const key = await insertDeveloperKey(service.database, service.random, agent, developer)
  await appendAdminEvent(service, 'key.created', agent, actor)
  return { agent, key }
}

async function appendAdminEvent(
  { ledger, clock, random }: AgentService,
  event: string,
  agent: RegisteredAgent,
  actor: Actor,
): Promise<void> {
  const { principal, id } = actor
  const name = principal?.kind === 'person' ? `key ${principal.keyId}` : (principal?.kind ?? 'nobody')
  await ledger.append(adminEntry({ clock, random }, event, agent, name, id)).catch((cause: unknown) => {
    throw new PublicError('ledger.unavailable', { cause })
  })
}
