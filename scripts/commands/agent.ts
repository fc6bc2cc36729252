/** `tappass agent add|list|revoke`: manages the agents of a gateway: one that `up` runs here, one on a host, or one at a URL. */

import { EXIT_CODE } from '../../contract/exit-code.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { renderAgents } from '../control/agent-table.ts'
import type { GatewayClient } from '../control/gateway-client.ts'
import { Failure } from '../core/failure.ts'
import { connectGateway } from '../server-process/gateway-connection.ts'

/** The operand; the argument parser requires it. */
function idOf({ operands }: Invocation): string {
  return operands[0] as string
}

async function add(invocation: Invocation, gateway: GatewayClient): Promise<string> {
  const agent_id = idOf(invocation)
  const details = [
    ['framework', textOption(invocation, 'framework')],
    ['description', textOption(invocation, 'description')],
    ['owner_email', textOption(invocation, 'owner')],
    ['spiffe_id', textOption(invocation, 'spiffe-id')],
  ].filter(([, value]) => value !== undefined)
  const created = await gateway.createAgent({ agent_id, ...Object.fromEntries(details) })
  if (created.status === 'exists') {
    throw new Failure({
      what:
        created.taken === 'agent_id' ? `the agent ${agent_id} exists already` : 'an agent with this SPIFFE id exists',
      next: 'choose another id; tappass agent list shows all agents',
    })
  }
  const { id, key } = created
  if (key === undefined) return withoutKey(invocation, id)
  invocation.stderr.write('tappass: the key is shown only once; store it now\n')
  return isGiven(invocation, 'json') ? `${JSON.stringify({ id, key })}\n` : `${key}\n`
}

function withoutKey(invocation: Invocation, id: string): string {
  const spiffe_id = textOption(invocation, 'spiffe-id')
  if (isGiven(invocation, 'json')) return `${JSON.stringify({ id, spiffe_id })}\n`
  return `agent ${id}: comes with an SVID of ${spiffe_id}, and has no key\n`
}

async function list(invocation: Invocation, gateway: GatewayClient): Promise<string> {
  const agents = await gateway.listAgents()
  return isGiven(invocation, 'json') ? `${JSON.stringify(agents)}\n` : renderAgents(agents)
}

async function revoke(invocation: Invocation, gateway: GatewayClient): Promise<string> {
  const id = idOf(invocation)
  if ((await gateway.revokeAgent(id)) === 'unknown') {
    throw new Failure({ what: `there is no agent ${id}`, next: 'tappass agent list' })
  }
  return isGiven(invocation, 'json') ? `${JSON.stringify({ id, revoked: true })}\n` : `agent ${id}: keys revoked\n`
}

const ACTIONS: Readonly<Record<string, (invocation: Invocation, gateway: GatewayClient) => Promise<string>>> = {
  add,
  list,
  revoke,
}

/** Prints the new key (`add`), the agents (`list`) or a confirmation (`revoke`). Returns the exit code. */
export async function run(invocation: Invocation): Promise<number> {
  const action = ACTIONS[invocation.action ?? '']
  if (action === undefined) throw new Error(`agent ${invocation.action} is in the command table but not implemented`)
  const { gateway, close } = await connectGateway(invocation)
  try {
    invocation.stdout.write(await action(invocation, gateway))
    return EXIT_CODE.upToDate
  } finally {
    await close()
  }
}
