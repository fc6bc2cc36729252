/**
 * The policy as WebAssembly in this process: the same Rego that an OPA server would run, without a service. The
 * result of the policy is validated before it is used.
 */
import { loadPolicy } from '@open-policy-agent/opa-wasm'
import * as v from 'valibot'
import { canonicalJson } from '../core/canonical-json.ts'
import { sha256 } from '../core/hash.ts'
import type { PolicyEngine } from '../core/ports.ts'

/** Cached decisions, and characters of their inputs. Policy and data are fixed, so entries never go stale; the bounds are for memory. */
const DECISIONS_MAX = 10_000
const INPUT_CHARS_SUM_MAX = 40_000_000

/** Longer inputs are not cached. Those of coding agents hold the names of hundreds of tools. */
const INPUT_CHARS_MAX = 16_384

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
  let cachedChars = 0

  function evaluate(input: string): Decision {
    const cached = decisions.get(input)
    if (cached) return cached
    const [answer] = policy.evaluate(new TextEncoder().encode(input).buffer) as readonly { result?: unknown }[]
    const decision = parseDecision(answer?.result)
    if (input.length <= INPUT_CHARS_MAX) {
      if (decisions.size >= DECISIONS_MAX || cachedChars + input.length > INPUT_CHARS_SUM_MAX) {
        decisions.clear()
        cachedChars = 0
      }
      decisions.set(input, decision)
      cachedChars += input.length
    }
    return decision
  }

  return {
    revision,
    decide: async (input, decisionId) => {
      const { action, classification, kinds, reasons, taint } = evaluate(JSON.stringify(input))
      const head = { policy: revision, decisionId, classification, taint: { all: taint, found: taint } }
      if (action === 'allow') return { ...head, action }
      return action === 'redact' ? { ...head, action, kinds } : { ...head, action, reasons }
    },
  }
}
