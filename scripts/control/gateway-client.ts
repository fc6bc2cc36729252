/** The gateway's control routes, asked over HTTP with the admin key. Answers are values; no answer throws a Failure. */
import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure } from '../core/failure.ts'

/** Sends one request to the gateway; how it gets there (here, or on another host) is the caller's. */
export type Exchange = (
  request: Readonly<{ method: string; path: string; key: string; body?: string }>,
) => Promise<Readonly<{ status: number; text: string }>>

/** An agent as `GET /agents` lists it. */
export type ListedAgent = Readonly<Record<string, unknown>> & Readonly<{ agent_id: string }>

/** What came of making an agent. */
export type Created = Readonly<{ status: 'created'; id: string; key: string }> | Readonly<{ status: 'exists' }>

/** The gateway's control routes. Each throws a Failure when the gateway refuses. */
export type GatewayClient = Readonly<{
  createAgent: (agent: Readonly<Record<string, string>> & Readonly<{ agent_id: string }>) => Promise<Created>
  rotateKey: (id: string) => Promise<Readonly<{ id: string; key: string }>>
  listAgents: () => Promise<readonly ListedAgent[]>
  revokeAgent: (id: string) => Promise<'revoked' | 'unknown'>
  isKeyValid: (key: string) => Promise<boolean>
}>

/** Over HTTP from this process; `timeoutMs` bounds each exchange. */
export function exchangeOverHttp(url: string, timeoutMs = 10_000): Exchange {
  return async ({ method, path, key, body }) => {
    try {
      const answer = await fetch(new URL(path, url), {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(timeoutMs),
      })
      return { status: answer.status, text: await answer.text() }
    } catch (error) {
      const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
      throw new Failure(
        { what: 'the gateway does not answer', where: url, why: reason, next: 'is it running? tappass up' },
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

function refusal(doing: string, status: number, text: string): Failure {
  const error = parse(text)['error'] as Readonly<{ message?: string }> | undefined
  return new Failure({
    what: `the gateway refused to ${doing} (HTTP ${status})`,
    why: error?.message ?? text.slice(0, 200),
    next: status === 401 ? 'the admin key is not this gateway’s; look at --data' : 'tappass agent list',
  })
}

function keyOf(doing: string, status: number, text: string): Readonly<{ id: string; key: string }> {
  const { agent_id: id, api_key: key } = parse(text)
  if (typeof id === 'string' && typeof key === 'string') return { id, key }
  throw refusal(doing, status, text)
}

/** The control routes over an exchange, as the bearer of `adminKey`. */
export function connectGateway(exchange: Exchange, adminKey: string): GatewayClient {
  const at = (id: string) => `/agents/${encodeURIComponent(id)}`
  return {
    createAgent: async (agent) => {
      const body = JSON.stringify(agent)
      const { status, text } = await exchange({ method: 'POST', path: '/agents', key: adminKey, body })
      if (status === 409) return { status: 'exists' }
      if (status !== 201) throw refusal(`add agent ${agent.agent_id}`, status, text)
      return { status: 'created', ...keyOf('add an agent', status, text) }
    },
    rotateKey: async (id) => {
      const { status, text } = await exchange({ method: 'POST', path: `${at(id)}/rotate-key`, key: adminKey })
      if (status !== 200) throw refusal(`rotate the key of ${id}`, status, text)
      return keyOf(`rotate the key of ${id}`, status, text)
    },
    listAgents: async () => {
      const { status, text } = await exchange({ method: 'GET', path: '/agents', key: adminKey })
      const listed = parse(text)
      const agents = listed['data'] ?? listed['agents']
      if (status !== 200 || !Array.isArray(agents)) throw refusal('list agents', status, text)
      return agents as readonly ListedAgent[]
    },
    revokeAgent: async (id) => {
      const { status, text } = await exchange({ method: 'DELETE', path: at(id), key: adminKey })
      if (status === 404) return 'unknown'
      if (status >= 300) throw refusal(`revoke ${id}`, status, text)
      return 'revoked'
    },
    isKeyValid: async (key) => (await exchange({ method: 'GET', path: '/v1/models', key })).status !== 401,
  }
}
