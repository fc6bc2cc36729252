/** The input of the policy for a call: a header and outcomes, never text. */
import { type Author, type Call, NO_TOOLS } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { StepOutcome } from '../core/step.ts'
import type { PolicyInput } from '../core/verdict.ts'

type PolicyFinding = PolicyInput['outcomes'][number]['findings'][number]

/**
 * Given a call and its outcomes, returns the policy's input. Equal findings of a step (kind, severity, confidence,
 * author) are one: a thousand e-mail addresses are the same question as one.
 */
export function policyInput(call: Call, outcomes: readonly StepOutcome[]): PolicyInput {
  const hasFindings = outcomes.some((outcome) => outcome.status === 'done' && outcome.findings.length > 0)
  const authors = hasFindings ? new Map(call.segments.map(({ pointer, author }) => [pointer, author])) : NO_AUTHORS
  return {
    stage: call.stage,
    agent: { id: call.agent.id, org: call.agent.org },
    session: { taint: call.taint ?? [] },
    tools: call.tools ?? NO_TOOLS,
    // The policy reads UTF-8, which has no lone surrogates.
    model: call.model.toWellFormed(),
    stream: call.isStream,
    flags: call.flags,
    outcomes: outcomes.map((outcome) => ({
      step: outcome.step,
      status: outcome.status,
      reason: outcome.status === 'done' ? '' : outcome.reason,
      findings: outcome.status === 'done' ? distinct(outcome.findings, authors) : NO_FINDINGS,
    })),
  }
}

const NO_AUTHORS: ReadonlyMap<string, Author> = new Map()
const NO_FINDINGS: readonly PolicyFinding[] = []

function distinct(findings: readonly Finding[], authors: ReadonlyMap<string, Author>): readonly PolicyFinding[] {
  if (findings.length === 0) return NO_FINDINGS
  const unique = new Map<string, PolicyFinding>()
  for (const { kind, severity, confidence, pointer } of findings) {
    const author = authors.get(pointer) ?? 'other'
    unique.set(`${kind} ${severity} ${confidence} ${author}`, { kind, severity, confidence, author })
  }
  return [...unique.values()]
}
