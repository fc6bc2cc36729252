/** What a client is told of a refusal: the error's code, the reasons, and one line of text. */
import type { Stage } from '../core/call.ts'
import type { ErrorCode } from '../core/errors.ts'
import { type FamilyRegistry, familyOf } from '../core/finding-family.ts'
import type { Reason, Verdict } from '../core/verdict.ts'

/** A refusal. `text` names the families of the reasons: `PII detected: EMAIL, PHONE; Secret detected: PRIVATE_KEY`. */
export type Refusal = Readonly<{ status: 'refused'; code: ErrorCode; reasons: readonly Reason[]; text: string }>

/** Titles of reasons that are no findings: those that the gateway and the policy give themselves. */
const OWN_TITLES: Readonly<Record<string, string>> = { step: 'Step did not report', policy: 'Policy' }

/** Given a verdict that refuses, returns the refusal. */
export function refusalOf(verdict: Verdict, stage: Stage, registry: FamilyRegistry): Refusal {
  const reasons = 'reasons' in verdict ? verdict.reasons : []
  const code = verdict.action === 'hold' ? 'approval.required' : refusalCode(reasons, stage, registry)
  return { status: 'refused', code, reasons, text: refusalText(reasons, registry) }
}

/**
 * Given the reasons of a block, returns the error for the client. A content reason takes precedence: clients retry a
 * 503 and a 429, and must not retry what policy refused.
 */
function refusalCode(reasons: readonly Reason[], stage: Stage, registry: FamilyRegistry): ErrorCode {
  const codes = new Set(reasons.map(({ kind }) => codeOf(kind, registry)))
  for (const code of ['request.invalid', 'governance.unavailable', 'rate.exceeded'] as const) {
    if (codes.has(code) && !codes.has('policy.blocked')) return code
  }
  return stage === 'request' ? 'policy.blocked' : 'policy.blocked_response'
}

function codeOf(kind: string, registry: FamilyRegistry): ErrorCode {
  if (kind.startsWith('step.') || kind === 'policy.unavailable') return 'governance.unavailable'
  return familyOf(registry, kind)?.code ?? 'policy.blocked'
}

function refusalText(reasons: readonly Reason[], registry: FamilyRegistry): string {
  const kinds = new Map<string, Set<string>>()
  for (const { step, kind } of reasons) {
    const [family = '', ...rest] = kind.split('.')
    const title = OWN_TITLES[family] ?? familyOf(registry, kind)?.title ?? family
    const what = family === 'step' ? `${step} (${rest.join('.')})` : rest.join('_').toUpperCase()
    kinds.set(title, (kinds.get(title) ?? new Set()).add(what))
  }
  return [...kinds].map(([title, whats]) => `${title}: ${[...whats].join(', ')}`).join('; ')
}
