/** Enforces the verdict: a total switch. It decides nothing. */
import type { Call, Stage } from '../core/call.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { Finding } from '../core/finding.ts'
import type { StepOutcome } from '../core/step.ts'
import type { Reason, Verdict } from '../core/verdict.ts'
import { TOKEN_LISTS } from '../protocol/stream-chunk.ts'
import { redact } from './redaction.ts'

/** Nothing passes: the error for the client, and why. */
export type Refusal = Readonly<{ status: 'refused'; code: ErrorCode; reasons: readonly Reason[] }>

/** What passes: a body, or nothing. */
export type Enforcement = Readonly<{ status: 'passed'; body: unknown }> | Refusal

/** Pointers into token lists of a response, which `withoutTokenLists` drops. */
const TOKEN_LIST_POINTER = new RegExp(`^/choices/\\d+/(?:${[...TOKEN_LISTS].join('|')})(?:/|$)`)

/**
 * Given a call, the findings in its body and the verdict, returns what of the body may leave. Throws when something
 * that has to be redacted can't be.
 */
export function enforce(call: Call, findings: readonly Finding[], verdict: Verdict): Enforcement {
  switch (verdict.action) {
    case 'allow':
      return { status: 'passed', body: call.body }
    case 'redact': {
      const inBody = findings.filter(({ pointer }) => !TOKEN_LIST_POINTER.test(pointer))
      return { status: 'passed', body: redact(withoutTokenLists(call), inBody, verdict.kinds) }
    }
    case 'hold':
      return { status: 'refused', code: 'approval.required', reasons: verdict.reasons }
    case 'block':
      return { status: 'refused', code: refusalCode(verdict.reasons, call.stage), reasons: verdict.reasons }
  }
}

/** Every finding of every step that ran. */
export function allFindings(outcomes: readonly StepOutcome[]): readonly Finding[] {
  return outcomes.flatMap((outcome) => (outcome.status === 'done' ? outcome.findings : []))
}

/**
 * Given the reasons of a block, returns the error for the client. A content reason takes precedence: clients retry a
 * 503 and a 429, and must not retry what policy refused.
 */
export function refusalCode(reasons: readonly Reason[], stage: Stage): ErrorCode {
  const codes = new Set(reasons.map(({ kind }) => codeOf(kind)))
  for (const code of ['request.invalid', 'governance.unavailable', 'rate.exceeded'] as const) {
    if (codes.has(code) && !codes.has('policy.blocked')) return code
  }
  return stage === 'request' ? 'policy.blocked' : 'policy.blocked_response'
}

function codeOf(kind: string): ErrorCode {
  if (kind.startsWith('request.')) return 'request.invalid'
  if (kind.startsWith('rate.')) return 'rate.exceeded'
  if (kind.startsWith('step.') || kind === 'policy.unavailable') return 'governance.unavailable'
  return 'policy.blocked'
}

/**
 * Token lists repeat the response token by token, where no finding can point, so they are dropped when something is
 * redacted.
 */
function withoutTokenLists(call: Call): unknown {
  const body = call.body as { choices?: unknown } | null
  if (call.stage === 'request' || !Array.isArray(body?.choices)) return body
  return {
    ...body,
    choices: body.choices.map((choice: unknown) => {
      if (typeof choice !== 'object' || choice === null || Array.isArray(choice)) return choice
      return Object.fromEntries(
        Object.entries(choice).map(([name, value]) => [name, TOKEN_LISTS.has(name) ? null : value]),
      )
    }),
  }
}
