/** The list of models: what the model server names, and our own echo. */

import type { Upstream } from '../core/ports.ts'
import type { Gateway } from '../pipeline/judge.ts'
import { failed, type Reply } from '../pipeline/reply.ts'
import { readAnswer } from '../protocol/upstream-answer.ts'

type Model = Readonly<{ id: string; object: 'model'; created: number; owned_by: string }>

const ECHO: Model = { id: 'echo', object: 'model', created: 0, owned_by: 'tappass' }

/** Time for a list; it is asked for by people and key checks. */
const TIMEOUT_MS = 10_000

/** Gives the list. Of what the model server says, only names, times and owners of the right form are passed on. */
export async function listModels(gateway: Gateway, requestId: string): Promise<Reply> {
  const upstream = gateway.ports.upstreamOf('')
  if (!upstream || upstream.name === 'echo') return listed([ECHO])
  try {
    const models = await modelsOf(upstream, requestId)
    return models ? listed([...models, ECHO]) : failed('upstream.refused', requestId)
  } catch (cause) {
    return failed('upstream.unreachable', requestId, cause)
  }
}

/** Undefined when the model server refuses the gateway. One that has no such list names no models. */
async function modelsOf(upstream: Upstream, requestId: string): Promise<readonly Model[] | undefined> {
  const from = await upstream.forward('/models', undefined, requestId, AbortSignal.timeout(TIMEOUT_MS))
  const answer = await readAnswer(from, false)
  if (answer.kind === 'refused') return undefined
  const data = answer.kind === 'body' ? (answer.body as { data?: unknown }).data : []
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

function listed(data: readonly Model[]): Reply {
  return { kind: 'whole', status: 200, headers: {}, body: { object: 'list', data } }
}
