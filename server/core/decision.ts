/** What a policy decides, from whichever engine its result comes: it is validated before it is used. */
import * as v from 'valibot'
import { canonicalJson } from './canonical-json.ts'
import { sha256 } from './hash.ts'
import type { Verdict } from './verdict.ts'

const REASON = v.strictObject({ step: v.string(), kind: v.string() })

/** The name of a family of findings. */
const FAMILY_NAME = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,31}$/))

const DECISION = v.pipe(
  v.strictObject({
    action: v.picklist(['allow', 'redact', 'hold', 'block']),
    classification: v.picklist(['PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'RESTRICTED', 'TOP_SECRET']),
    kinds: v.array(v.string()),
    reasons: v.array(REASON),
    taint: v.optional(v.array(FAMILY_NAME), []),
  }),
  v.check(({ action, kinds }) => (action === 'redact') === kinds.length > 0, 'kinds and action disagree'),
  v.check(
    ({ action, reasons }) => (action === 'block' || action === 'hold') === reasons.length > 0,
    'reasons and action disagree',
  ),
)

/** What a policy decides. */
export type Decision = v.InferOutput<typeof DECISION>

/**
 * Given the result of a policy, returns the decision. Throws when it is not one: no unknown action is ever taken. Its lists are sets in the
 * policy, which WebAssembly gives in another order than an OPA server: here they are sorted, so that equal decisions are equal.
 */
export function parseDecision(answer: unknown): Decision {
  const { kinds, reasons, taint, ...rest } = v.parse(DECISION, answer)
  const byText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)
  return {
    ...rest,
    kinds: kinds.toSorted(),
    reasons: reasons.toSorted((a, b) => byText(a.step, b.step) || byText(a.kind, b.kind)),
    taint: taint.toSorted(),
  }
}

/**
 * Returns the revision of a policy: the SHA-256 over the hash of its compiled form and its document. The same Rego with another threshold
 * is another policy.
 */
export function policyRevision(wasmDigest: string, document: object): string {
  return sha256(`${wasmDigest} ${canonicalJson(document)}`)
}

/** Returns the verdict that a decision of the policy with this revision is. */
export function verdictOf(decision: Decision, revision: string, decisionId: string): Verdict {
  const { action, classification, kinds, reasons, taint } = decision
  const head = { policy: revision, decisionId, classification, taint: { all: taint, found: taint } }
  if (action === 'allow') return { ...head, action }
  return action === 'redact' ? { ...head, action, kinds } : { ...head, action, reasons }
}
