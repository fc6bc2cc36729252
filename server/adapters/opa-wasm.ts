/**
 * The policy as WebAssembly in this process: the same Rego that an OPA server runs (opa-server.ts), without a service.
 */
import { loadPolicy } from '@open-policy-agent/opa-wasm'
import { type Decision, parseDecision, policyRevision, verdictOf } from '../core/decision.ts'
import { sha256 } from '../core/hash.ts'
import type { PolicyEngine } from '../core/ports.ts'

/** Cached decisions, and characters of their inputs. Policy and data are fixed, so entries never go stale; the bounds are for memory. */
const DECISIONS_MAX = 10_000
const INPUT_CHARS_SUM_MAX = 40_000_000

/** Longer inputs are not cached. Those of coding agents hold the names of hundreds of tools. */
const INPUT_CHARS_MAX = 16_384

/**
 * Given the compiled policy (`opa build --target wasm`) and its base document, returns the engine. Its revision is the
 * SHA-256 over both: the same Rego with another threshold is another policy. `decide` throws when the policy does, or
 * when its result is not a decision.
 */
export async function createWasmPolicy(wasm: Uint8Array, document: object): Promise<PolicyEngine> {
  const policy = await loadPolicy(wasm.slice().buffer)
  policy.setData(document)
  const revision = policyRevision(sha256(wasm), document)
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
    engine: 'embedded',
    decide: async (input, decisionId) => verdictOf(evaluate(JSON.stringify(input)), revision, decisionId),
  }
}
