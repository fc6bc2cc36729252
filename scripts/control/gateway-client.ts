/** Client of the gateway's control API, with the admin key. */
import { EXIT_CODE } from '../../contract/exit-code.ts'
import type { License } from '../../contract/license.ts'
import { Failure } from '../core/failure.ts'

/** Sends a request to the gateway and returns its response: from this machine, or on a remote host. */
export type Transport = (
  request: Readonly<{ method: string; path: string; key: string; body?: string }>,
) => Promise<Readonly<{ status: number; text: string }>>

/** An agent as `GET /agents` lists it. */
export type ListedAgent = Readonly<Record<string, unknown>> & Readonly<{ agent_id: string }>

/** The result of `createAgent`: an agent with a SPIFFE id has no key. `taken` is what another agent has. */
export type CreateAgentResult =
  | Readonly<{ status: 'created'; id: string; key: string | undefined }>
  | Readonly<{ status: 'exists'; taken: 'agent_id' | 'spiffe_id' }>

/** The license of a gateway as it tells it; `status` is `valid`, `expired`, `invalid` or `none`. */
export type ShownLicense = Readonly<{ license: License; status: string }>

/** The control API. Each method throws a `Failure` when the gateway returns an error or is unreachable. */
export type GatewayClient = Readonly<{
  createAgent: (agent: Readonly<Record<string, string>> & Readonly<{ agent_id: string }>) => Promise<CreateAgentResult>
  rotateKey: (id: string) => Promise<Readonly<{ id: string; key: string }>>
  listAgents: () => Promise<readonly ListedAgent[]>
  revokeAgent: (id: string) => Promise<'revoked' | 'unknown'>
  isKeyValid: (key: string) => Promise<boolean>
  readLicense: () => Promise<ShownLicense>
}>

/** Sends requests over HTTP from this process; `timeoutMs` is the timeout of each. */
export function createHttpTransport(url: string, timeoutMs = 10_000): Transport {
  return async ({ method, path, key, body }) => {
    try {
      const response = await fetch(new URL(path, url), {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(timeoutMs),
      })
      return { status: response.status, text: await response.text() }
    } catch (error) {
      const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
      throw new Failure(
        {
          what: 'cannot reach the gateway',
          where: url,
          why: reason,
          next: 'check that it is running, or start one: tappass up',
        },
        EXIT_CODE.unreachable,
        error,
      )
    }
  }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? { data: value } : ((value ?? {}) as Record<string, unknown>)
  } catch {
    return {}
  }
}

function requestFailure(action: string, status: number, text: string): Failure {
  const error = parse(text)['error'] as Readonly<{ message?: string }> | undefined
  return new Failure({
    what: `cannot ${action}: the gateway returned HTTP ${status}`,
    why: error?.message ?? text.slice(0, 200),
    next:
      status === 401
        ? 'use the admin key of this gateway: tappass agent list --url URL --admin-key-file FILE'
        : 'tappass agent list',
  })
}

function keyOf(action: string, status: number, text: string): Readonly<{ id: string; key: string }> {
  const { agent_id: id, api_key: key } = parse(text)
  if (typeof id === 'string' && typeof key === 'string') return { id, key }
  throw requestFailure(action, status, text)
}

function takenOf(text: string): 'agent_id' | 'spiffe_id' {
  const error = parse(text)['error'] as Readonly<{ param?: unknown }> | undefined
  return error?.param === 'spiffe_id' ? 'spiffe_id' : 'agent_id'
}

/** Creates a client over a transport; requests carry `adminKey`. */
export function createGatewayClient(send: Transport, adminKey: string): GatewayClient {
  const pathOf = (id: string) => `/agents/${encodeURIComponent(id)}`
  return {
    createAgent: async (agent) => {
      const body = JSON.stringify(agent)
      const { status, text } = await send({ method: 'POST', path: '/agents', key: adminKey, body })
      if (status === 409) return { status: 'exists', taken: takenOf(text) }
      if (status !== 201) throw requestFailure(`add agent ${agent.agent_id}`, status, text)
      if (agent['spiffe_id'] !== undefined) return { status: 'created', id: agent.agent_id, key: undefined }
      return { status: 'created', ...keyOf('add an agent', status, text) }
    },
    rotateKey: async (id) => {
      const { status, text } = await send({ method: 'POST', path: `${pathOf(id)}/rotate-key`, key: adminKey })
      if (status !== 200) throw requestFailure(`rotate the key of ${id}`, status, text)
      return keyOf(`rotate the key of ${id}`, status, text)
    },
    listAgents: async () => {
      const { status, text } = await send({ method: 'GET', path: '/agents', key: adminKey })
      const listed = parse(text)
      const agents = listed['data'] ?? listed['agents']
      if (status !== 200 || !Array.isArray(agents)) throw requestFailure('list agents', status, text)
      return agents as readonly ListedAgent[]
    },
    revokeAgent: async (id) => {
      const { status, text } = await send({ method: 'DELETE', path: pathOf(id), key: adminKey })
      if (status === 404) return 'unknown'
      if (status >= 300) throw requestFailure(`revoke ${id}`, status, text)
      return 'revoked'
    },
    readLicense: async () => {
      const { status, text } = await send({ method: 'GET', path: '/health/detailed', key: adminKey })
      const { license, licenseStatus } = parse(text)
      // 503 says that it can't serve, and tells the rest all the same.
      const isTold = (status === 200 || status === 503) && typeof licenseStatus === 'string'
      if (!isTold) throw requestFailure('read the license', status, text)
      return { license: license as License, status: licenseStatus }
    },
    isKeyValid: async (key) => (await send({ method: 'GET', path: '/v1/models', key })).status !== 401,
  }
}
