/** Changes of the register of agents: each is in the ledger before its outcome, such as a new key, is handed out. */

import { PublicError } from '../core/errors.ts'
import type { Clock, Database, Ledger, Random } from '../core/ports.ts'
import { adminEntry } from '../ledger/entry-builder.ts'
import {
  addDeveloperKey,
  deactivateAgent,
  findAgent,
  type NewAgent,
  type RegisteredAgent,
  registerAgent,
  rotateKey,
} from './agent-store.ts'
import type { Door, Principal } from './authenticator.ts'

/** Who changes something, in which request. */
export type By = Readonly<{ principal: Principal | undefined; id: string }>

/** What changes work with. */
export type Register = Readonly<{ door: Door; database: Database; ledger: Ledger; clock: Clock; random: Random }>

/** An agent and a key of it, whose text is given this once. */
export type Keyed = Readonly<{ agent: RegisteredAgent; key: string }>

/** Gives the agent with this name or uuid. Throws PublicError when there is none. */
export async function wantedAgent(database: Database, name: string): Promise<RegisteredAgent> {
  const agent = await findAgent(database, name)
  if (!agent) throw new PublicError('agent.unknown')
  return agent
}

/** Registers an agent. Throws PublicError when its name is taken. */
export async function createAgent(register: Register, agent: NewAgent, by: By): Promise<Keyed> {
  const registered = await registerAgent(register.database, register.random, agent)
  if (!registered) throw new PublicError('agent.exists')
  await record(register, 'agent.created', registered.agent, by)
  return registered
}

/** Deactivates an agent and revokes its keys, here at once. */
export async function removeAgent(register: Register, name: string, by: By): Promise<void> {
  const agent = await wantedAgent(register.database, name)
  await deactivateAgent(register.database, agent)
  register.door.forget()
  await record(register, 'agent.deactivated', agent, by)
}

/** Exchanges the agent's own key. The old one is refused, here at once. */
export async function exchangeKey(register: Register, name: string, by: By): Promise<Keyed> {
  const agent = await wantedAgent(register.database, name)
  const key = await rotateKey(register.database, register.random, agent)
  register.door.forget()
  await record(register, 'key.rotated', agent, by)
  return { agent, key }
}

/** Gives a developer a key of their own for an agent. */
export async function giveDeveloperKey(
  register: Register,
  name: string,
  developer: Parameters<typeof addDeveloperKey>[3],
  by: By,
): Promise<Keyed> {
  const agent = await wantedAgent(register.database, name)
  const key = await addDeveloperKey(register.database, register.random, agent, developer)
  await record(register, 'key.created', agent, by)
  return { agent, key }
}

async function record(
  { ledger, clock, random }: Register,
  event: string,
  agent: RegisteredAgent,
  by: By,
): Promise<void> {
  const { principal, id } = by
  const name = principal?.kind === 'person' ? `key ${principal.keyId}` : (principal?.kind ?? 'nobody')
  await ledger.append(adminEntry({ clock, random }, event, agent, name, id)).catch((cause: unknown) => {
    throw new PublicError('ledger.unavailable', { cause })
  })
}
