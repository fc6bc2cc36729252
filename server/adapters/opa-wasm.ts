/**
 * The policy as WebAssembly in this process: the same Rego that an OPA server would run, without a service. The
 * result of the policy is validated before it is used.
 */
import { loadPolicy } from '@open-policy-agent/opa-wasm'
import * as v from 'valibot'
import { canonicalJson } from '../core/canonical-json.ts'
import { sha256 } from '../core/hash.ts'
import type { PolicyEngine } from '../core/ports.ts'

/** Cached decisions. Policy and data are fixed, so entries never go stale; the bound is for memory. */
const DECISIONS_MAX = 10_000

/** Longer inputs are not cached. */
const INPUT_CHARS_MAX = 4096

const REASON = v.strictObject({ step: v.string(), kind: v.string() })

const DECISION = v.pipe(
  v.strictObject({
    action: v.picklist(['allow', 'redact', 'hold', 'block']),
    classification: v.picklist(['PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'RESTRICTED', 'TOP_SECRET']),
    kinds: v.array(v.string()),
    reasons: v.array(REASON),
  }),
  v.check(({ action, kinds }) => (action === 'redact') === kinds.length > 0, 'kinds and action disagree'),
  v.check(
    ({ action, reasons }) => (action === 'block' || action === 'hold') === reasons.length > 0,
    'reasons and action disagree',
  ),
)

/** What a policy decides. */
export type Decision = v.InferOutput<typeof DECISION>

/** Given the result of a policy, returns the decision. Throws when it is not one: no unknown action is ever taken. */
export function parseDecision(answer: unknown): Decision {
  return v.parse(DECISION, answer)
}

/**
 * Given the compiled policy (`opa build --target wasm`) and its base document, returns the engine. Its revision is the
 * SHA-256 over both: the same Rego with another threshold is another policy. `decide` throws when the policy does, or
 * when its result is not a decision.
 */
export async function createWasmPolicy(wasm: Uint8Array, document: object): Promise<PolicyEngine> {
  const policy = await loadPolicy(wasm.slice().buffer)
  policy.setData(document)
  const revision = sha256(`${sha256(wasm)} ${canonicalJson(document)}`)
  const decisions = new Map<string, Decision>()

  function evaluate(input: string): Decision {
    const cached = decisions.get(input)
    if (cached) return cached
    const [answer] = policy.evaluate(new TextEncoder().encode(input).buffer) as readonly { result?: unknown }[]
    const decision = parseDecision(answer?.result)
    if (input.length <= INPUT_CHARS_MAX) {
      if (decisions.size >= DECISIONS_MAX) decisions.clear()
      decisions.set(input, decision)
    }
    return decision
  }

  return {
    revision,
    decide: async (input, decisionId) => {
      const { action, classification, kinds, reasons } = evaluate(JSON.stringify(input))
      const head = { policy: revision, decisionId, classification }
      if (action === 'allow') return { ...head, action }
      return action === 'redact' ? { ...head, action, kinds } : { ...head, action, reasons }
    },
  }
}
