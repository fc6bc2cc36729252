/** `tappass agent add|list|revoke`: the agents that may call a gateway; one that `up` runs here, or a host's. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Invocation, isGiven, textOption, textOptions } from '../command-line/invocation.ts'
import { readSshAccess } from '../connection/ssh-access.ts'
import { renderAgents } from '../control/agent-table.ts'
import { connectGateway, exchangeOverHttp, type GatewayClient } from '../control/gateway-client.ts'
import { exchangeOnHost } from '../control/host-request.ts'
import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { readTargets } from '../spec/target.ts'
import { readNote } from '../up/data-folder.ts'

/** A gateway, and how to leave it. */
type Reached = Readonly<{ gateway: GatewayClient; close: () => Promise<void> }>

async function nothingToClose(): Promise<void> {
  return undefined
}

function reachUrl(invocation: Invocation, url: string): Reached {
  const file = textOption(invocation, 'admin-key-file')
  if (file === undefined)
    throw usageFailure('"--url" needs the admin key', `tappass agent list --url ${url} --admin-key-file FILE`)
  const key = readFileSync(resolve(invocation.workingFolder, file), 'utf8').trim()
  return { gateway: connectGateway(exchangeOverHttp(url), key), close: nothingToClose }
}

function dataPath(invocation: Invocation): string {
  const option = textOption(invocation, 'data')
  return option === undefined ? join(invocation.root, '.tappass', 'data') : resolve(invocation.workingFolder, option)
}

/** The gateway that `tappass up` runs from a data folder; undefined when none serves from there. */
function reachLocal(data: string): Reached | undefined {
  const url = readNote(data, 'serving.json')?.['url']
  if (typeof url !== 'string') return undefined
  const key = readFileSync(join(data, 'secrets', 'tappass-admin-api-key'), 'utf8').trim()
  return { gateway: connectGateway(exchangeOverHttp(url), key), close: nothingToClose }
}

async function reachHost(invocation: Invocation): Promise<Reached> {
  const [target, ...others] = await readTargets(invocation)
  if (target === undefined || others.length > 0) {
    throw usageFailure('agents are kept one gateway at a time', 'tappass agent list --host USER@NAME')
  }
  const connection =
    target.address === undefined
      ? (await import('../runners/local.ts')).connectLocal(process.getuid?.() === 0)
      : await (await import('../runners/ssh.ts')).connectSsh(target.address, readSshAccess(invocation), undefined)
  return { gateway: connectGateway(exchangeOnHost(connection.run, target.name), ''), close: connection.close }
}

/** What a bootstrapped server has (docs/reference/host.md). */
const HOST_FOLDER = '/etc/tappass'

async function reach(invocation: Invocation): Promise<Reached> {
  const url = textOption(invocation, 'url')
  if (url !== undefined) return reachUrl(invocation, url)
  if (textOptions(invocation, 'host').length > 0) return await reachHost(invocation)
  const data = dataPath(invocation)
  const local = reachLocal(data)
  if (local !== undefined) return local
  if (existsSync(HOST_FOLDER)) return await reachHost(invocation)
  const next = 'start one (tappass up), or name one: --host USER@NAME, or --url URL --admin-key-file FILE'
  throw new Failure({ what: 'no gateway serves here', where: data, next }, EXIT_CODE.unreachable)
}

function requireId({ operands, action }: Invocation): string {
  const [id, ...rest] = operands
  if (id !== undefined && rest.length === 0) return id
  throw usageFailure(`"agent ${action}" takes one agent id`, `tappass agent ${action} my-agent`)
}

async function add(invocation: Invocation, gateway: GatewayClient): Promise<string> {
  const agent_id = requireId(invocation)
  const wanted = [
    ['framework', textOption(invocation, 'framework')],
    ['description', textOption(invocation, 'description')],
    ['owner_email', textOption(invocation, 'owner')],
  ].filter(([, value]) => value !== undefined)
  const created = await gateway.createAgent({ agent_id, ...Object.fromEntries(wanted) })
  if (created.status === 'exists') {
    throw new Failure({
      what: `there is an agent ${agent_id} already`,
      next: 'take another id, or: tappass agent list',
    })
  }
  invocation.stderr.write('tappass: this is the only time that the key is shown\n')
  const { id, key } = created
  return isGiven(invocation, 'json') ? `${JSON.stringify({ id, key })}\n` : `${key}\n`
}

async function list(invocation: Invocation, gateway: GatewayClient): Promise<string> {
  const agents = await gateway.listAgents()
  return isGiven(invocation, 'json') ? `${JSON.stringify(agents)}\n` : renderAgents(agents)
}

async function revoke(invocation: Invocation, gateway: GatewayClient): Promise<string> {
  const id = requireId(invocation)
  if ((await gateway.revokeAgent(id)) === 'unknown') {
    throw new Failure({ what: `there is no agent ${id}`, next: 'tappass agent list' })
  }
  return isGiven(invocation, 'json') ? `${JSON.stringify({ id, revoked: true })}\n` : `agent ${id}: its keys are void\n`
}

const ACTIONS: Readonly<Record<string, (invocation: Invocation, gateway: GatewayClient) => Promise<string>>> = {
  add,
  list,
  revoke,
}

/** Prints the new key (`add`), the agents (`list`) or a confirmation (`revoke`). */
export async function run(invocation: Invocation): Promise<number> {
  const act = ACTIONS[invocation.action ?? '']
  if (act === undefined) throw new Error(`agent ${invocation.action} is in the table and nowhere else`)
  const { gateway, close } = await reach(invocation)
  try {
    invocation.stdout.write(await act(invocation, gateway))
    return EXIT_CODE.asWanted
  } finally {
    await close()
  }
}
