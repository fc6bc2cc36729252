/** Enforces the verdict: a total switch. It decides nothing. */
import type { Call } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { StepOutcome } from '../core/step.ts'
import type { Verdict } from '../core/verdict.ts'
import { TOKEN_LISTS } from '../protocol/stream-chunk.ts'
import { redactSource } from './body-redaction.ts'
import type { Gateway } from './gateway.ts'
import { type AliasOf, createAliases } from './id-alias.ts'
import { RedactionError } from './redaction.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import { redact } from './value-redaction.ts'

/**
 * What passes: a body, and its text when the call has one, or a refusal. `redacted`: the kinds that were taken out.
 */
export type Enforcement =
  | Readonly<{ status: 'passed'; body: unknown; text: string | undefined; redacted: readonly string[] }>
  | Refusal

/**
 * Token lists of a response repeat it token by token, where no finding can point, so they are dropped when something is
 * redacted.
 */
const TOKEN_LIST = new RegExp(`^/choices/\\d+/(?:${[...TOKEN_LISTS].join('|')})$`)
const TOKEN_LIST_POINTER = new RegExp(`${TOKEN_LIST.source.slice(0, -1)}(?:/|$)`)

/**
 * Given a call, the findings in its body and the verdict, returns what of the body may leave. Throws when something
 * that has to be redacted can't be.
 */
export function enforce(
  call: Call,
  findings: readonly Finding[],
  verdict: Verdict,
  { registry, aliasKey }: Pick<Gateway, 'registry' | 'aliasKey'>,
  outcomes: readonly StepOutcome[] = [],
): Enforcement {
  switch (verdict.action) {
    case 'allow':
      return { status: 'passed', body: call.body, text: call.text, redacted: [] }
    case 'redact':
      return redactCall(call, findings, verdict.kinds, createAliases(aliasKey))
    case 'hold':
    case 'block':
      return refusalOf(verdict, call, registry, findings, outcomes)
  }
}

const NO_FINDINGS: readonly Finding[] = []

function hasFindings(outcome: StepOutcome): boolean {
  return outcome.status === 'done' && outcome.findings.length > 0
}

/** Every finding of every step that ran. */
export function allFindings(outcomes: readonly StepOutcome[]): readonly Finding[] {
  // Most calls have none, and are asked several times.
  if (!outcomes.some(hasFindings)) return NO_FINDINGS
  return outcomes.flatMap((outcome) => (outcome.status === 'done' ? outcome.findings : []))
}

/** Redacts a call. Throws RedactionError when something that has to be redacted can't be. */
export function redactCall(
  call: Pick<Call, 'stage' | 'text' | 'body'>,
  findings: readonly Finding[],
  kinds: readonly string[],
  aliasOf: AliasOf,
): Extract<Enforcement, { status: 'passed' }> {
  const isResponse = call.stage === 'response'
  const inBody = isResponse ? findings.filter(({ pointer }) => !TOKEN_LIST_POINTER.test(pointer)) : findings
  // Chunks of a stream have no token lists.
  if (call.text === undefined)
    return { status: 'passed', body: redact(call.body, inBody, kinds, aliasOf), text: undefined, redacted: kinds }
  const text = redactSource(call.text, inBody, kinds, aliasOf, isResponse ? TOKEN_LIST : undefined)
  return { status: 'passed', body: parseRedacted(text), text, redacted: kinds }
}

/** Throws when the redacted text is no JSON: it may not leave then. */
function parseRedacted(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RedactionError('the redacted body is no JSON', { cause })
  }
}
