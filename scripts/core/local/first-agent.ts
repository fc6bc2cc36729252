/** The agent that the first governed call is made as: made once, its key kept, and made anew when the key is lost. */
import type { GatewayClient } from '../gateway-client.ts'
import type { AgentKey } from './data-folder.ts'

/** Gives the agent `id` with a key that opens the gateway: the kept one while it does, else a new one. */
export const obtainAgent = async (
  gateway: GatewayClient,
  id: string,
  kept: AgentKey | undefined,
): Promise<AgentKey> => {
  const created = await gateway.createAgent({
    agent_id: id,
    framework: 'custom',
    description: 'made by tappass up for the first call',
  })
  if (created.status === 'created') return { id: created.id, key: created.key }
  if (kept?.id === id && (await gateway.isKeyValid(kept.key))) return kept
  return await gateway.rotateKey(id)
}
