/** Enforces the verdict: a total switch. It decides nothing. */
import type { Call } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { FamilyRegistry } from '../core/finding-family.ts'
import type { StepOutcome } from '../core/step.ts'
import type { Verdict } from '../core/verdict.ts'
import { TOKEN_LISTS } from '../protocol/stream-chunk.ts'
import { redact } from './redaction.ts'
import { type Refusal, refusalOf } from './refusal.ts'

/** What passes: a body, or a refusal. */
export type Enforcement = Readonly<{ status: 'passed'; body: unknown }> | Refusal

/** Pointers into token lists of a response, which `withoutTokenLists` drops. */
const TOKEN_LIST_POINTER = new RegExp(`^/choices/\\d+/(?:${[...TOKEN_LISTS].join('|')})(?:/|$)`)

/**
 * Given a call, the findings in its body and the verdict, returns what of the body may leave. Throws when something
 * that has to be redacted can't be.
 */
export function enforce(
  call: Call,
  findings: readonly Finding[],
  verdict: Verdict,
  registry: FamilyRegistry,
  outcomes: readonly StepOutcome[] = [],
): Enforcement {
  switch (verdict.action) {
    case 'allow':
      return { status: 'passed', body: call.body }
    case 'redact': {
      const inBody = findings.filter(({ pointer }) => !TOKEN_LIST_POINTER.test(pointer))
      return { status: 'passed', body: redact(withoutTokenLists(call), inBody, verdict.kinds) }
    }
    case 'hold':
    case 'block':
      return refusalOf(verdict, call, registry, findings, outcomes)
  }
}

/** Every finding of every step that ran. */
export function allFindings(outcomes: readonly StepOutcome[]): readonly Finding[] {
  return outcomes.flatMap((outcome) => (outcome.status === 'done' ? outcome.findings : []))
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
