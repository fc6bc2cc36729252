/** What came of a governed call. What of it becomes a status and a header is said in server/http alone. */
import type { Call } from '../core/call.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { Allowance, UpstreamResponse } from '../core/ports.ts'
import type { Decision } from './append.ts'
import type { RecordedDecision } from './judge.ts'
import type { Refusal } from './refusal.ts'

/** Texts of a stream. It returns whether it is complete: otherwise its body has to be left unfinished. */
export type StreamTexts = AsyncGenerator<string, boolean>

/**
 * What a client is told of the judgement beside the answer: what taints the session, kinds of what was taken out, and how many
 * steps there were.
 */
export type GovernanceNote = Readonly<{
  classification: string
  taint: readonly string[]
  redacted: readonly string[]
  steps: number
  allowance: Allowance | undefined
}>

/** What of a model server's response is passed on beside its body. */
export type UpstreamHead = Pick<UpstreamResponse, 'status' | 'headers'>

/** An expected failure. `cause` is for the log, never for the client; `param` is the field that it is about. */
export type FailedResult = Readonly<{
  status: 'failed'
  code: ErrorCode
  requestId: string
  cause?: unknown
  param?: string | undefined
  allowance?: Allowance | undefined
}>

/** Refused by policy, or because it could not be judged. */
export type RefusedResult = Readonly<{ status: 'refused'; refusal: Refusal; call: Call; decision: RecordedDecision }>

/** The enforced answer: the text of its JSON body. An error of the model server is one, too. */
export type AnsweredResult = Readonly<{
  status: 'answered'
  text: string
  note: GovernanceNote
  upstream: UpstreamHead
}>

/** The judged stream. `upstream` is there when it was made of an answer that came as a whole. */
export type StreamedResult = Readonly<{
  status: 'streamed'
  texts: StreamTexts
  note: GovernanceNote
  upstream?: UpstreamHead
}>

/** What came of a governed call. */
export type CallResult = FailedResult | RefusedResult | AnsweredResult | StreamedResult

/** The body of an answer about models, or why there is none. */
export type ModelResult = Readonly<{ status: 'listed'; body: object; allowance: Allowance }> | FailedResult

/** Creates the result of an expected failure. */
export function failed(
  code: ErrorCode,
  requestId: string,
  more: Pick<FailedResult, 'cause' | 'param' | 'allowance'> = {},
): FailedResult {
  return { status: 'failed', code, requestId, ...more }
}

/** The kinds of what a decision takes out. */
export function redactedKinds({ verdict }: Pick<Decision, 'verdict'>): readonly string[] {
  return verdict.action === 'redact' ? verdict.kinds : []
}
