/** What bodies for clients say of a call beside its answer: its ids, its classification, what was taken out, or why it was refused. */
import type { Call } from '../core/call.ts'
import { errorBody, errorRow } from '../core/errors.ts'
import type { Verdict } from '../core/verdict.ts'
import { turnsOf } from '../protocol/call-body.ts'
import type { Refusal } from './refusal.ts'

/** The ids by which a client, its operator and the ledger refer to the same call. */
function correlation(call: Call, verdict: Verdict): Readonly<Record<string, string>> {
  return {
    session_id: call.session ?? '',
    task_id: call.id,
    agent_uuid: call.agent.uuid,
    pipeline_uuid: verdict.policy.slice(0, 32),
    audit_url: `${call.publicUrl ?? ''}/audit?request_id=${encodeURIComponent(call.id)}`,
  }
}

/**
 * The body that tells a client which step refused its call and why, in the shape of tappass.md §1.1. Holds nothing of the
 * call's text. The members of a refusal stand at the top as well, where TapPass's SDK reads them.
 */
export function refusalBody({ code, reasons, text, message, param }: Refusal, call: Call, verdict: Verdict): object {
  const row = errorRow(code)
  const refusal = {
    blocked_by: reasons[0]?.step ?? 'policy',
    reason: text,
    classification: verdict.classification,
    taint: verdict.taint.all,
  }
  const ids = correlation(call, verdict)
  const details = { param, ...refusal, step_details: reasons, ...ids }
  return {
    ...errorBody(row, call.id, message, details),
    decision: row.type,
    message,
    ...refusal,
    details: {},
    ...ids,
  }
}

/** The object `tappass` of an answer: `model` is the one that answered, `verdict` the decision about the answer. */
export function answerMetadata(
  call: Call,
  verdict: Verdict,
  { classification, model, note }: Readonly<{ classification: string; model: unknown; note: RedactionNote }>,
): object {
  return {
    classification,
    blocked: false,
    turn_index: call.turns ?? turnsOf(call.body),
    model: model ?? call.model,
    ...note,
    taint: verdict.taint.all,
    ...correlation(call, verdict),
  }
}

/** What a client is told of redactions. */
export type RedactionNote = Readonly<{
  redacted: readonly string[]
  redacted_in: readonly ('request' | 'response')[]
}>

/** Given the kinds taken out of each stage, returns all kinds, and in which stages they were. */
export function redactionNote(request: readonly string[], response: readonly string[]): RedactionNote {
  const stages = { request, response }
  const redactedIn = (['request', 'response'] as const).filter((stage) => stages[stage].length > 0)
  return { redacted: [...new Set([...request, ...response])].sort(), redacted_in: redactedIn }
}

const CLASSIFICATIONS = ['PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'RESTRICTED', 'TOP_SECRET']

/** The more sensitive of two classifications; an unknown one counts as the most sensitive. */
export function moreSensitive(one: string, other: string): string {
  const level = (name: string): number =>
    CLASSIFICATIONS.includes(name) ? CLASSIFICATIONS.indexOf(name) : CLASSIFICATIONS.length
  return level(one) >= level(other) ? one : other
}
