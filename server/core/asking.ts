/** What a client asks, judged: what may be sent to which model server, or the refusal. */
import { type Asked, requestCall } from './asked.ts'
import type { Call } from './call.ts'
import { type Gateway, type Judged, judge } from './judge.ts'
import type { Upstream } from './ports.ts'
import { failed, type Reply, refused } from './reply.ts'

/** A request that may leave: what is sent where, its judgement, and its call without the segments. */
export type Asking =
  | Readonly<{ status: 'judged'; call: Call; request: Judged; upstream: Upstream; text: string }>
  | Readonly<{ status: 'refused'; reply: Reply }>

/**
 * Judges a request. A function of its own, so that the segments, which take many times the room of the body, are gone while
 * the model server thinks.
 */
export async function judgeRequest(gateway: Gateway, asked: Asked): Promise<Asking> {
  const call = requestCall(asked)
  if (!call) return { status: 'refused', reply: failed('request.malformed', asked.id) }
  const upstream = gateway.ports.upstreamOf(call.model)
  const content = JSON.stringify(call.body)
  const request = await judge(gateway, call, content, { path: asked.path, upstream: upstream?.name ?? null })
  if (request.status === 'unrecorded')
    return { status: 'refused', reply: failed('ledger.unavailable', call.id, request.cause) }
  if (request.release.status === 'refused') return { status: 'refused', reply: refused(request.release, call, request) }
  if (!upstream) return { status: 'refused', reply: failed('model.unknown', call.id) }
  const text = request.release.body === call.body ? content : JSON.stringify(request.release.body)
  return { status: 'judged', call: { ...call, segments: [] }, request, upstream, text }
}
