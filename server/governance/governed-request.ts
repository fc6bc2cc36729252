/** A client's request, and the calls (request, response) that are evaluated for it. */
import { type Agent, type Call, LARGE_CHARS, NO_TOOLS } from '../core/call.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { GovernedPath } from '../core/governed-path.ts'
import type { Upstream } from '../core/ports.ts'
import type { CallTrace } from '../core/trace.ts'
import { type CallResult, failed } from '../pipeline/call-result.ts'
import { appendRefusal } from '../pipeline/early-refusal.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { judge, type RecordedDecision } from '../pipeline/judge.ts'
import { recordableModel } from '../pipeline/recordable-text.ts'
import { parseBody, readCallBody } from '../protocol/call-body.ts'
import { ProjectionError } from '../protocol/projection.ts'
import { upstreamOf } from './model-route.ts'

/**
 * An authenticated request: who, for what. `text` is what `body` was parsed from (undefined when it is large); `clientId` a hash of the id that the
 * client gave the call, when it is not `id`; `isNewSession`: nobody has heard of it before; `signal` aborts when the client disconnects.
 */
export type GovernedRequest = Readonly<{
  id: string
  clientId?: string | undefined
  path: GovernedPath
  agent: Agent
  session: string
  isNewSession?: boolean
  flags: Readonly<Record<string, string>>
  body: object | undefined
  text: string
  bodyBytes: number
  signal: AbortSignal
  trace?: CallTrace | undefined
}>

/** A call whose body came as text. */
export type TextCall = Call & Readonly<{ text: string }>

/**
 * Returns the call of a request. A large one is read in another thread: what its body says is not known yet. Undefined when
 * the body is no JSON object. One that is deeper or larger than can be looked through is refused by its judgement.
 */
export function requestCall({ inspector, publicUrl }: Gateway, request: GovernedRequest): TextCall | undefined {
  const { id, clientId, agent, session, flags, text, bodyBytes, trace } = request
  const taint = request.isNewSession ? [] : undefined
  const who = { id, clientId, agent, session, taint, publicUrl, flags, trace }
  const head = { ...who, stage: 'request', text, bodyBytes, ...NOTHING_READ } as const
  return inspector !== undefined && text.length > LARGE_CHARS ? head : withBody(head, request.body)
}

/** The body of a response, and the text that it was parsed from; a large one is not parsed yet. */
export type ResponseBody = Readonly<{ body: object | undefined; text: string; bodyBytes: number }>

/** Returns the call of a response to `request`, as requestCall does. */
export function responseCall(
  request: Call,
  path: GovernedPath,
  { body, text, bodyBytes }: ResponseBody,
): TextCall | undefined {
  const hasEmbeddings = path === '/embeddings'
  const answer = { stage: 'response', body, text, bodyBytes, hasEmbeddings, segments: [], tools: NO_TOOLS } as const
  const head = { ...request, ...answer }
  const read = body === undefined ? head : withBody(head, body)
  return read && { ...read, model: request.model, isStream: request.isStream }
}

/** What is known of a request before its body is read. */
const NOTHING_READ = { model: '', isStream: false, body: undefined, segments: [] }

function withBody(head: TextCall, given: object | undefined): TextCall | undefined {
  try {
    const body = given ?? parseBody(head.text)
    return body && { ...head, ...readCallBody(body, head.text, head.hasEmbeddings === true) }
  } catch (cause) {
    if (cause instanceof ProjectionError) return { ...head, body: undefined, isTooComplex: true }
    throw cause
  }
}

/** What is forwarded, where, and why it may be. */
export type JudgedRequest = Readonly<{ call: Call; decision: RecordedDecision; upstream: Upstream; text: string }>

/** A request that may be forwarded: its text and target, its decision, and its call without the segments. */
export type RequestDecision =
  | (JudgedRequest & Readonly<{ status: 'judged' }>)
  | Readonly<{ status: 'ended'; result: CallResult }>

/**
 * Evaluates a request. A function of its own, so that the segments, which take many times the memory of the body, are
 * released while the model server works.
 */
export async function judgeRequest(gateway: Gateway, request: GovernedRequest): Promise<RequestDecision> {
  const given = requestCall(gateway, request)
  if (!given) return ended(await refuse(gateway, request, 'request.malformed'))
  const { routes } = gateway.ports
  const decision = await judge(gateway, given, ({ model }) => ({
    path: request.path,
    upstream: upstreamOf(routes, model)?.name ?? null,
  }))
  if (decision.status === 'malformed') return ended(await refuse(gateway, request, 'request.malformed'))
  if (decision.status === 'unrecorded') return ended(failed('ledger.unavailable', given.id, { cause: decision.cause }))
  const { call } = decision
  if (decision.enforcement.status === 'refused')
    return ended({ status: 'refused', refusal: decision.enforcement, call, decision })
  const upstream = upstreamOf(routes, call.model)
  if (!upstream) return ended(failed('model.unknown', call.id, { param: 'model' }))
  const model = recordableModel(gateway, call, decision.outcomes)
  const { text = call.text } = decision.enforcement
  const taint = decision.verdict.taint.all
  return { status: 'judged', call: { ...call, model, taint, segments: [], text: undefined }, decision, upstream, text }
}

async function refuse(gateway: Gateway, request: GovernedRequest, code: ErrorCode): Promise<CallResult> {
  const appended = await appendRefusal(gateway, request, code)
  if (appended.status === 'recorded') return failed(code, request.id)
  return failed('ledger.unavailable', request.id, { cause: appended.cause })
}

function ended(result: CallResult): RequestDecision {
  return { status: 'ended', result }
}
