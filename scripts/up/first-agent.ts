/** The agent that the first governed call is made as: made once, its key kept, and made anew when the key is lost. */

import type { GatewayClient } from '../control/gateway-client.ts'
import { Failure } from '../core/failure.ts'
import type { AgentKey } from './data-folder.ts'

/** As many names as are tried when earlier first agents were revoked. */
const NAMES_MAX = 20

async function create(gateway: GatewayClient, id: string): Promise<AgentKey | undefined> {
  const description = 'made by tappass up for the first call'
  const created = await gateway.createAgent({ agent_id: id, framework: 'custom', description })
  return created.status === 'created' ? { id: created.id, key: created.key } : undefined
}

/**
 * Gives an agent with a key that opens the gateway: the kept one while it does, else `id` with a new key. A revoked
 * agent stays revoked: the next name (`id-2`) is taken then.
 */
export async function obtainAgent(gateway: GatewayClient, id: string, kept: AgentKey | undefined): Promise<AgentKey> {
  if (kept !== undefined && (await gateway.isKeyValid(kept.key))) return kept
  for (let turn = 1; turn <= NAMES_MAX; turn++) {
    const name = turn === 1 ? id : `${id}-${turn}`
    const agent = (await create(gateway, name)) ?? (await gateway.rotateKey(name))
    if (await gateway.isKeyValid(agent.key)) return agent
  }
  throw new Failure({ what: `no agent ${id} could be made`, next: 'tappass agent list' })
}
