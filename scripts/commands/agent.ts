/** `tappass agent add|list|revoke`: manages the agents of a gateway: one that `up` runs here, one on a host, or one at a URL. */

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { credentialId } from '../../contract/secret.ts'
import { hostCommandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, textOption, textOptions } from '../command-line/invocation.ts'
import { renderAgents } from '../control/agent-table.ts'
import { createGatewayClient, createHttpTransport, type GatewayClient } from '../control/gateway-client.ts'
import { createHostTransport } from '../control/host-request.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { connectors } from '../runners/connectors.ts'
import { connectTarget } from '../session/target-connection.ts'
import { readTargets } from '../spec/target.ts'
import { readJsonFile } from '../up/data-folder.ts'

/** A client of a gateway, and how to close its connection. */
type GatewayConnection = Readonly<{ gateway: GatewayClient; close: () => Promise<void> }>

async function nothingToClose(): Promise<void> {
  return undefined
}

function connectToUrl(invocation: Invocation, url: string): GatewayConnection {
  const file = textOption(invocation, 'admin-key-file')
  if (file === undefined)
    throw usageFailure(
      '"--url" needs "--admin-key-file"',
      `tappass agent ${invocation.action} --url ${url} --admin-key-file FILE`,
    )
  const key = readFileSync(resolve(invocation.workingFolder, file), 'utf8').trim()
  return { gateway: createGatewayClient(createHttpTransport(url), key), close: nothingToClose }
}

function dataPath(invocation: Invocation): string {
  const option = textOption(invocation, 'data')
  return option === undefined ? join(invocation.root, '.tappass', 'data') : resolve(invocation.workingFolder, option)
}

/** Connects to the gateway that `tappass up` runs from a data folder; undefined when there is none. */
function connectLocally(data: string): GatewayConnection | undefined {
  const url = readJsonFile(data, 'serving.json')?.['url']
  if (typeof url !== 'string') return undefined
  const key = readFileSync(join(data, 'secrets', credentialId('TAPPASS_ADMIN_API_KEY')), 'utf8').trim()
  return { gateway: createGatewayClient(createHttpTransport(url), key), close: nothingToClose }
}

async function connectToHost(invocation: Invocation): Promise<GatewayConnection> {
  const [target, ...others] = await readTargets(invocation)
  if (target === undefined || others.length > 0) {
    throw usageFailure(
      '"agent" works on one gateway: give one --host',
      `tappass agent ${invocation.action} --host USER@NAME`,
    )
  }
  const connection = await connectTarget(invocation, connectors, target)
  const transport = createHostTransport(connection.run, target.name, hostCommandHint(invocation, 'status'))
  return { gateway: createGatewayClient(transport, ''), close: connection.close }
}

async function connect(invocation: Invocation): Promise<GatewayConnection> {
  const url = textOption(invocation, 'url')
  if (url !== undefined) return connectToUrl(invocation, url)
  if (textOptions(invocation, 'host').length > 0) return await connectToHost(invocation)
  const data = dataPath(invocation)
  const local = connectLocally(data)
  if (local !== undefined) return local
  if (existsSync(HOST_PATH.configFolder)) return await connectToHost(invocation)
  const next = 'start one with tappass up, or add --host USER@NAME, or --url URL --admin-key-file FILE'
  throw new Failure({ what: 'no gateway is running on this machine', where: data, next }, EXIT_CODE.unreachable)
}

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
  const { gateway, close } = await connect(invocation)
  try {
    invocation.stdout.write(await action(invocation, gateway))
    return EXIT_CODE.upToDate
  } finally {
    await close()
  }
}
