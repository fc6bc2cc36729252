/** What a verdict redacts of a kind: what the policy would redact alone, whatever else is in the call. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '../../../server/core/finding.ts'
import type { StepOutcome } from '../../../server/core/step.ts'
import { type PolicyInput, UNTAINTED, type Verdict } from '../../../server/core/verdict.ts'
import { redactedFindings } from '../../../server/pipeline/redacted-finding.ts'
import { callOf } from './call-fixture.ts'

const finding = (pointer: string, confidence: number, kind = 'pii.x'): Finding => ({
  kind,
  severity: 'medium',
  pointer,
  span: [0, 1],
  confidence,
})
const done = (...findings: readonly Finding[]): StepOutcome => ({ step: 's', ms: 0, status: 'done', findings })
const head = { policy: '', decisionId: '', classification: 'PUBLIC', taint: UNTAINTED }

/** A policy by what it redacts. */
const policyOf = (redacts: (input: PolicyInput) => readonly string[]) => ({
  revision: '',
  decide: async (input: PolicyInput): Promise<Verdict> => {
    const kinds = redacts(input)
    return kinds.length > 0 ? { ...head, action: 'redact', kinds } : { ...head, action: 'allow' }
  },
})
const all = (input: PolicyInput) => input.outcomes.flatMap(({ findings }) => findings)
const bySureness = policyOf((input) => [
  ...new Set(all(input).flatMap(({ kind, confidence }) => (confidence >= 0.5 ? [kind] : []))),
])
const byNumber = policyOf((input) => (all(input).length > 1 ? ['pii.x'] : []))
const failing = { revision: '', decide: () => Promise.reject(new Error('gone')) }

const weak = finding('/a', 0.3)
const strong = finding('/b', 0.9)
const ROWS: readonly (readonly [
  what: string,
  policy: typeof bySureness,
  findings: readonly Finding[],
  redacted: readonly Finding[],
])[] = [
  ['a weak one beside a strong one stays', bySureness, [weak, strong], [strong]],
  ['several strong ones', bySureness, [strong, finding('/c', 0.8)], [strong, finding('/c', 0.8)]],
  [
    'one of another kind',
    bySureness,
    [weak, strong, finding('/c', 0.9, 'pii.y')],
    [strong, finding('/c', 0.9, 'pii.y')],
  ],
  ['what is redacted for being together', byNumber, [weak, strong], [weak, strong]],
  ['a policy that fails', failing, [weak, strong], [weak, strong]],
]
for (const [what, policy, findings, redacted] of ROWS) {
  test(what, async () => {
    const call = callOf({ a: 'x', b: 'y', c: 'z' })
    const verdict = { ...head, action: 'redact', kinds: ['pii.x', 'pii.y'] } as const
    const kept = await redactedFindings({ ports: { policy } as never }, call, [done(...findings)], verdict)
    assert.deepEqual(kept, redacted)
  })
}
