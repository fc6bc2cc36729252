/** The gateway that a command means: one that `up` runs here, one on a host, or one at a URL. */

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { credentialId } from '../../contract/secret.ts'
import { hostCommandHint } from '../command-line/command-hint.ts'
import { type Invocation, textOption, textOptions } from '../command-line/invocation.ts'
import { createGatewayClient, createHttpTransport, type GatewayClient } from '../control/gateway-client.ts'
import { createHostTransport } from '../control/host-request.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { readTargets } from '../inventory/target.ts'
import { connectors } from '../runners/connectors.ts'
import { connectTarget } from '../session/target-connection.ts'
import { readJsonFile } from '../up/data-folder.ts'

/** Verb and action, as they were typed. */
function wordsOf({ verb, action }: Invocation): string {
  return [verb.name, action].filter((word) => word !== undefined).join(' ')
}

/** A client of a gateway, and how to close its connection. */
export type GatewayConnection = Readonly<{ gateway: GatewayClient; close: () => Promise<void> }>

async function nothingToClose(): Promise<void> {
  return undefined
}

function connectToUrl(invocation: Invocation, url: string): GatewayConnection {
  const file = textOption(invocation, 'admin-key-file')
  if (file === undefined)
    throw usageFailure(
      '"--url" needs "--admin-key-file"',
      `tappass ${wordsOf(invocation)} --url ${url} --admin-key-file FILE`,
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
      `"${invocation.verb.name}" works on one gateway: give one --host`,
      `tappass ${wordsOf(invocation)} --host USER@NAME`,
    )
  }
  const connection = await connectTarget(invocation, connectors, target)
  const transport = createHostTransport(connection.run, target.name, hostCommandHint(invocation, 'status'))
  return { gateway: createGatewayClient(transport, ''), close: connection.close }
}

/** Connects to the gateway that the command line means: at a URL, on a host, in a data folder, or on this machine. */
export async function connectGateway(invocation: Invocation): Promise<GatewayConnection> {
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
