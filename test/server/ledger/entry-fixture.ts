/** Entries of calls, as the ledger gets them. */
import type { Entry } from '../../../server/core/entry.ts'
import { UNTAINTED, type Verdict } from '../../../server/core/verdict.ts'

let count = 0

/** An entry, each time another one. */
export function ledgerEntry(more: Partial<Entry> = {}): Entry {
  count += 1
  return {
    auditId: `ae_${count}`,
    tsMs: 1_732_500_000_123 + count,
    eventKind: 'chat',
    eventType: 'govern_allow',
    severity: 'info',
    decision: 'allow',
    stepName: null,
    orgId: '00000000-0000-4000-8000-000000000001',
    agentId: 'bot',
    sessionId: 'ses_1',
    requestId: `req_${count}`,
    model: 'm',
    classification: 'PUBLIC',
    policy: 'f'.repeat(64),
    decisionId: `dec_${count}`,
    details: { note: 'ünïcode "quoted" \\u0000 \u2028', nested: { b: 1, a: [1, 2.5, null] } },
    ...more,
  }
}

/** A verdict that lets a call pass. */
export const ALLOWED: Verdict = {
  policy: 'f'.repeat(64),
  decisionId: 'dec_1',
  classification: 'PUBLIC',
  taint: UNTAINTED,
  action: 'allow',
}
