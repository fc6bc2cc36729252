/**
 * Which findings a verdict redacts. The policy names kinds; of a kind, findings may differ in what the policy looks at. Those
 * that it would let pass alone stay, whatever else is in the call: the same text is then the same in every turn.
 */
import type { Call } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { StepOutcome } from '../core/step.ts'
import type { Verdict } from '../core/verdict.ts'
import { allFindings } from './enforce.ts'
import type { Gateway } from './gateway.ts'
import { policyInput } from './policy-input.ts'

/** Beyond so many differences within a kind all of it is redacted. */
const VARIANTS_MAX = 32

/** Returns the findings of all kinds, without those that the policy would let pass. */
export async function redactedFindings(
  gateway: Pick<Gateway, 'ports'>,
  call: Call,
  outcomes: readonly StepOutcome[],
  verdict: Verdict,
): Promise<readonly Finding[]> {
  const findings = allFindings(outcomes)
  if (verdict.action !== 'redact') return findings
  const authors = new Map(call.segments.map(({ pointer, author }) => [pointer, author]))
  const variantOf = ({ kind, severity, confidence, pointer }: Finding): string =>
    `${kind} ${severity} ${confidence} ${authors.get(pointer)}`
  const spared = new Set<string>()
  for (const kind of verdict.kinds) {
    const variants = Map.groupBy(
      findings.filter((finding) => finding.kind === kind),
      variantOf,
    )
    if (variants.size < 2 || variants.size > VARIANTS_MAX) continue
    const passing: string[] = []
    for (const [variant, [finding]] of variants) {
      if (finding && (await passesAlone(gateway, call, outcomes, finding))) passing.push(variant)
    }
    // A policy that redacts none of them alone redacts them for what they are together.
    if (passing.length < variants.size) for (const variant of passing) spared.add(variant)
  }
  return spared.size === 0 ? findings : findings.filter((finding) => !spared.has(variantOf(finding)))
}

async function passesAlone(
  { ports: { policy } }: Pick<Gateway, 'ports'>,
  call: Call,
  outcomes: readonly StepOutcome[],
  finding: Finding,
): Promise<boolean> {
  const alone = outcomes.map((outcome) =>
    outcome.status === 'done'
      ? { ...outcome, findings: outcome.findings.filter((other) => other === finding) }
      : outcome,
  )
  try {
    return (await policy.decide(policyInput(call, alone), '')).action === 'allow'
  } catch {
    return false
  }
}
