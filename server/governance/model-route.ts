/** Which model server a model goes to, and the list of all models. */

import type { ModelRoute, Upstream } from '../core/ports.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { errorReply, jsonReply, type Reply } from '../pipeline/reply.ts'
import { readResponse } from '../protocol/upstream-response.ts'

type Model = Readonly<{ id: string; object: 'model'; created: number; owned_by: string }>

/** Timeout for the list; people and key checks ask for it. */
const TIMEOUT_MS = 10_000

/** Returns the model server of a model; undefined when there is none. */
export function upstreamOf(routes: readonly ModelRoute[], model: string): Upstream | undefined {
  return routes.find(({ models }) => models.test(model))?.upstream
}

/**
 * Returns the list: of each model server the models that the routes send there, with only their ids, times and owners,
 * and only in the right format. The server of the last route, which takes what no other does, comes first.
 */
export async function listModels({ ports: { routes } }: Gateway, requestId: string): Promise<Reply> {
  const upstreams = [...new Set(routes.map(({ upstream }) => upstream))].reverse()
  try {
    const lists = await Promise.all(
      upstreams.map(async (upstream) => {
        const models = await fetchModels(upstream, requestId)
        return models?.filter(({ id }) => upstreamOf(routes, id) === upstream)
      }),
    )
    if (lists.includes(undefined)) return errorReply('upstream.refused', requestId)
    return jsonReply(200, { object: 'list', data: lists.flatMap((models) => models ?? []) })
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
  if (typeof id !== 'string' || !/^[\w./:@+-]{1,128}$/.test(id)) return []
  const owner = typeof owned_by === 'string' && /^[\w./:@+-]{1,64}$/.test(owned_by) ? owned_by : 'unknown'
  return [{ id, object: 'model', created: typeof created === 'number' ? created : 0, owned_by: owner }]
}
