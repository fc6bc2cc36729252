/** Whether the rules, the steps and the policy of this release load, and whether the policy decides. Needs no setting and opens nothing. */
import { createWasmPolicy } from '../adapters/opa-wasm.ts'
import { loadSteps } from '../adapters/step-folder.ts'
import { createEngine } from '../detection/engine.ts'
import { probePolicy } from '../observability/readiness.ts'
import { policyDocument, readPolicy } from '../policy/policy-document.ts'
import { RULE_FUNCTIONS } from '../rules/check/rule-functions.ts'
import { readRuleBook } from '../rules/rule-book.ts'

/** Throws the reason; `stepFolder` has the built-in steps. */
export async function checkPolicy(stepFolder: string): Promise<void> {
  const { families, rules } = readRuleBook()
  const { registry } = await loadSteps([stepFolder], createEngine(rules, RULE_FUNCTIONS), families)
  await probePolicy(await createWasmPolicy(readPolicy(), policyDocument(registry)))
}
