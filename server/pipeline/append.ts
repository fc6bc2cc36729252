/** Appends what happened to a call to the ledger, and counts it. */
import type { Call } from '../core/call.ts'
import type { Entry } from '../core/entry.ts'
import { familyOf } from '../core/finding-family.ts'
import type { StepOutcome } from '../core/step.ts'
import type { EndedSpan, SpanAttributes } from '../core/trace.ts'
import type { Verdict } from '../core/verdict.ts'
import { decisionEntry, type EntryContext, type EntryDetails, eventEntry } from '../ledger/entry-builder.ts'
import type { Gateway } from './gateway.ts'
import { recordableModel } from './recordable-text.ts'

/** What was decided, and on what. */
export type Decision = Readonly<{ outcomes: readonly StepOutcome[]; verdict: Verdict }>

/** Whether an entry is durable. When it is not, nothing may leave. */
export type AppendResult = Readonly<{ status: 'recorded' }> | Readonly<{ status: 'unrecorded'; cause: unknown }>

/**
 * Appends a decision. `content` is the text that is committed to, and so is `released`, what of it leaves when something
 * was taken out; `details` are stored beside the decision.
 */
export async function appendDecision(
  gateway: Gateway,
  call: Call,
  { outcomes, verdict }: Decision,
  content: string,
  details: EntryDetails,
  released?: string,
  salt?: string,
): Promise<AppendResult> {
  const model = call.stage === 'request' ? recordableModel(gateway, call, outcomes) : call.model
  const recordable = model === call.model ? call : { ...call, model }
  const context = entryContextOf(gateway)
  const entry = decisionEntry(context, recordable, outcomes, verdict, { content, released, salt }, details)
  const appended = await append(gateway, entry, call.trace)
  if (appended.status === 'unrecorded') return appended
  const { meter } = gateway.ports
  meter.count('judgements', call.stage, verdict.action)
  if (verdict.action === 'block') meter.count('pipeline_blocks', verdict.reasons[0]?.step ?? 'policy')
  return appended
}

/** Appends an event of a call without a decision. */
export async function appendEvent(
  gateway: Gateway,
  call: Call,
  eventType: string,
  severity: Entry['severity'],
  details: Entry['details'],
  outcome: Partial<Pick<Entry, 'decision' | 'classification' | 'salt'>> = {},
): Promise<AppendResult> {
  const entry = eventEntry(entryContextOf(gateway), call, eventType, severity, details, outcome)
  return append(gateway, entry, call.trace)
}

/** Counts a finding by its kind, if its family is counted. */
export function countFinding({ ports, registry }: Gateway, kind: string): void {
  const family = familyOf(registry, kind)
  if (family?.counter !== undefined) ports.meter.count(family.counter, kind.slice(family.name.length + 1))
}

/** Appends, and measures the time until the entry is durable. */
async function append(
  { ports: { ledger, meter, clock } }: Gateway,
  entry: Entry,
  trace: Call['trace'],
): Promise<AppendResult> {
  const startMs = clock.elapsedMs()
  try {
    await ledger.append(entry)
  } catch (cause) {
    meter.count('ledger_appends', 'failed')
    trace?.span?.(ledgerSpan(entry, startMs, clock.elapsedMs(), { 'error.type': 'ledger.unavailable' }))
    return { status: 'unrecorded', cause }
  }
  const endMs = clock.elapsedMs()
  meter.count('ledger_appends', 'recorded')
  meter.observe('ledger_seconds', (endMs - startMs) / 1000)
  trace?.span?.(ledgerSpan(entry, startMs, endMs))
  return { status: 'recorded' }
}

function ledgerSpan({ eventType }: Entry, startMs: number, endMs: number, failure: SpanAttributes = {}): EndedSpan {
  const attributes = { 'tappass.entry.type': eventType, ...failure }
  return { type: 'ledger', name: 'ledger append', startMs, endMs, attributes }
}

function entryContextOf({ ports }: Gateway): EntryContext {
  return { clock: ports.clock, random: ports.random }
}
