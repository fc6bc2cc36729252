/** The agent of the first governed call: created once, its key stored, and a new key issued when it is lost. */

import type { GatewayClient } from '../control/gateway-client.ts'
import { Failure } from '../core/failure.ts'
import type { AgentKey } from './data-folder.ts'

/** Number of names to try when earlier first agents were revoked. */
const NAMES_MAX = 20

async function create(gateway: GatewayClient, id: string): Promise<AgentKey | undefined> {
  const description = 'created by tappass up for the first call'
  const created = await gateway.createAgent({ agent_id: id, framework: 'custom', description })
  // Without a SPIFFE id there is a key.
  return created.status === 'created' ? { id: created.id, key: created.key ?? '' } : undefined
}

/**
 * Returns an agent with a valid key: the stored one while it is valid, otherwise `id` with a new key. A revoked agent stays
 * revoked: the next name (`id-2`) is used then.
 */
export async function ensureAgent(gateway: GatewayClient, id: string, stored: AgentKey | undefined): Promise<AgentKey> {
  if (stored !== undefined && (await gateway.isKeyValid(stored.key))) return stored
  for (let attempt = 1; attempt <= NAMES_MAX; attempt++) {
    const name = attempt === 1 ? id : `${id}-${attempt}`
    const agent = (await create(gateway, name)) ?? (await gateway.rotateKey(name))
    if (await gateway.isKeyValid(agent.key)) return agent
  }
  throw new Failure({
    what: `cannot create the agent ${id}`,
    why: `${id} and ${id}-2 to ${id}-${NAMES_MAX} are revoked`,
    next: 'tappass agent list',
  })
}
