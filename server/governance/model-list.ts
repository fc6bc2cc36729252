/** The list of models: those of the model server, and our own echo. */

import type { Upstream } from '../core/ports.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { errorReply, type Reply } from '../pipeline/reply.ts'
import { readResponse } from '../protocol/upstream-response.ts'

type Model = Readonly<{ id: string; object: 'model'; created: number; owned_by: string }>

const ECHO: Model = { id: 'echo', object: 'model', created: 0, owned_by: 'tappass' }

/** Timeout for the list; people and key checks ask for it. */
const TIMEOUT_MS = 10_000

/** Returns the list. Of the model server's list only ids, times and owners in the right format are passed on. */
export async function listModels(gateway: Gateway, requestId: string): Promise<Reply> {
  const upstream = gateway.ports.upstreamOf('')
  if (!upstream || upstream.name === 'echo') return listReply([ECHO])
  try {
    const models = await fetchModels(upstream, requestId)
    return models ? listReply([...models, ECHO]) : errorReply('upstream.refused', requestId)
  } catch (cause) {
    return errorReply('upstream.unreachable', requestId, cause)
  }
}

/** Undefined when the model server rejects the gateway. One without such a list has no models. */
async function fetchModels(upstream: Upstream, requestId: string): Promise<readonly Model[] | undefined> {
  const response = await upstream.forward('/models', undefined, requestId, AbortSignal.timeout(TIMEOUT_MS))
  const content = await readResponse(response, false)
  if (content.kind === 'rejected') return undefined
  const data = content.kind === 'body' ? (content.body as { data?: unknown }).data : []
  return Array.isArray(data) ? data.flatMap(modelOf) : []
}

function modelOf(value: unknown): readonly Model[] {
  const { id, created, owned_by } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  if (typeof id !== 'string' || !/^[\w./:@+-]{1,128}$/.test(id) || id === ECHO.id) return []
  const owner = typeof owned_by === 'string' && /^[\w./:@+-]{1,64}$/.test(owned_by) ? owned_by : 'unknown'
  return [{ id, object: 'model', created: typeof created === 'number' ? created : 0, owned_by: owner }]
}

function listReply(data: readonly Model[]): Reply {
  return { kind: 'json', status: 200, headers: {}, body: { object: 'list', data } }
}
