/** Which model server a model goes to, and the list of all models. */

import type { Agent, Call } from '../core/call.ts'
import type { ErrorCode } from '../core/errors.ts'
import { isModelName } from '../core/model-name.ts'
import type { Allowance, ModelRoute, Upstream } from '../core/ports.ts'
import { takeCall } from '../core/rate.ts'
import { appendEvent } from '../pipeline/append.ts'
import { type FailedResult, failed, type ModelResult } from '../pipeline/call-result.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { parseQuickly } from '../protocol/quick-json.ts'
import { readResponse } from '../protocol/upstream-response.ts'
import { brokenCode } from './broken-exchange.ts'

type Model = Readonly<{ id: string; object: 'model'; created: number; owned_by: string }>

/** Timeout for the list; people and key checks ask for it. */
const TIMEOUT_MS = 10_000

/** Returns the model server of a model; undefined when there is none. */
export function upstreamOf(routes: readonly ModelRoute[], model: string): Upstream | undefined {
  return routes.find(({ models }) => models.test(model))?.upstream
}

/** Who asks for models, in which request. */
export type ModelRequest = Readonly<{ id: string; agent: Agent }>

/**
 * Returns the list: of each model server the models that the routes send there, with only their ids, times and owners,
 * and only in the right format. The server of the last route, which takes what no other does, comes first. It counts as
 * a call, and is recorded.
 */
export async function listModels(gateway: Gateway, request: ModelRequest): Promise<ModelResult> {
  const counted = await countAndRecord(gateway, request, '')
  if (counted.status === 'failed') return counted
  const found = await findModels(gateway.ports.routes, request.id)
  if (found.status === 'failed') return failed(found.code, request.id, { cause: found.cause })
  return { status: 'listed', body: { object: 'list', data: found.models }, allowance: counted.allowance }
}

/** Returns one model of the list, or OpenAI's error for one that is not in it. */
export async function readModel(gateway: Gateway, request: ModelRequest, model: string): Promise<ModelResult> {
  const counted = await countAndRecord(gateway, request, model)
  if (counted.status === 'failed') return counted
  const found = await findModels(gateway.ports.routes, request.id)
  if (found.status === 'failed') return failed(found.code, request.id, { cause: found.cause })
  const { allowance } = counted
  const listed = found.models.find(({ id }) => id === model)
  if (listed) return { status: 'listed', body: listed, allowance }
  return failed('model_not_found', request.id, { allowance, param: 'model' })
}

type CountedRequest = Readonly<{ status: 'counted'; allowance: Allowance }> | FailedResult

/** Counts the request as one of the agent's calls, and records it. */
async function countAndRecord(gateway: Gateway, { id, agent }: ModelRequest, model: string): Promise<CountedRequest> {
  const { limiter, clock } = gateway.ports
  try {
    const allowance = await takeCall(limiter, agent, gateway.limits, clock.nowMs())
    const call: Call = { id, agent, model, stage: 'request', session: undefined, isStream: false, ...NO_BODY }
    const outcome = { decision: allowance.isAllowed ? 'allow' : 'block' } as const
    const severity = allowance.isAllowed ? 'info' : 'warn'
    const appended = await appendEvent(gateway, call, 'models_listed', severity, { path: '/models' }, outcome)
    if (appended.status === 'unrecorded') return failed('ledger.unavailable', id, { cause: appended.cause })
    return allowance.isAllowed ? { status: 'counted', allowance } : failed('rate.exceeded', id, { allowance })
  } catch (cause) {
    return failed('governance.unavailable', id, { cause })
  }
}

const NO_BODY = { flags: {}, body: null, bodyBytes: 0, segments: [] } as const

type Found =
  | Readonly<{ status: 'found'; models: readonly Model[] }>
  | Readonly<{ status: 'failed'; code: ErrorCode; cause?: unknown }>

async function findModels(routes: readonly ModelRoute[], requestId: string): Promise<Found> {
  const upstreams = [...new Set(routes.map(({ upstream }) => upstream))].reverse()
  try {
    const lists = await Promise.all(upstreams.map((upstream) => fetchModels(upstream, requestId)))
    const failed = lists.find((list) => list.status === 'failed')
    if (failed) return failed
    const models = lists.flatMap((list, index) =>
      list.status === 'found' ? list.models.filter(({ id }) => upstreamOf(routes, id) === upstreams[index]) : [],
    )
    return { status: 'found', models }
  } catch (cause) {
    return { status: 'failed', code: brokenCode(cause, false), cause }
  }
}

/** What a model server without a list answers. */
const LISTLESS = [404, 405, 501]

async function fetchModels(upstream: Upstream, requestId: string): Promise<Found> {
  const response = await upstream.forward('/models', undefined, requestId, AbortSignal.timeout(TIMEOUT_MS))
  const content = await readResponse(response, false, 0)
  const cause = `status ${response.status} of ${upstream.name}`
  if (content.kind === 'rejected') return { status: 'failed', code: 'upstream.refused', cause }
  if (content.kind === 'malformed') return { status: 'failed', code: 'upstream.malformed', cause: content.reason }
  if (content.kind === 'error' && !LISTLESS.includes(response.status))
    return { status: 'failed', code: 'upstream.failed', cause }
  const data = content.kind === 'body' ? dataOf(content.text) : []
  if (data === undefined)
    return {
      status: 'failed',
      code: 'upstream.malformed',
      cause: `no list of models, or too long a one, of ${upstream.name}`,
    }
  return { status: 'found', models: data.flatMap(modelOf) }
}

/** The items of a list; none of an object that is no list. Undefined when it can't be parsed, or not while others wait. */
function dataOf(text: string): readonly unknown[] | undefined {
  try {
    const value = parseQuickly(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    const { data } = value as { data?: unknown }
    return Array.isArray(data) ? data : []
  } catch {
    return undefined
  }
}

function modelOf(value: unknown): readonly Model[] {
  const { id, created, owned_by } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  if (typeof id !== 'string' || !isModelName(id)) return []
  const owner = typeof owned_by === 'string' && /^[\w./:@+-]{1,64}$/.test(owned_by) ? owned_by : 'unknown'
  return [{ id, object: 'model', created: typeof created === 'number' ? created : 0, owned_by: owner }]
}
