/** The policy engine in this process, with the default policy. Its rules have tests of their own, beside them. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { finding, ROWS, requestWith } from '../../../bench/policy-row.ts'
import { createWasmPolicy } from '../../../server/adapters/opa-wasm.ts'
import { parseDecision } from '../../../server/core/decision.ts'
import { createFamilyRegistry } from '../../../server/core/finding-family.ts'
import { UNTAINTED } from '../../../server/core/verdict.ts'
import { probePolicy } from '../../../server/observability/readiness.ts'
import { policyDocument } from '../../../server/policy/policy-document.ts'
import { readFamilies } from '../../../server/rules/rule-source.ts'

const wasm = readFileSync(join(import.meta.dirname, '../../../server/policy/policy.wasm'))
const document = policyDocument(createFamilyRegistry(readFamilies()))
const policy = await createWasmPolicy(wasm, document)

const head = { policy: policy.revision, decisionId: 'dec_1', taint: UNTAINTED }

for (const [what, input, verdict] of ROWS) {
  test(`decides, and decides again the same: ${what}`, async () => {
    assert.deepEqual(await policy.decide(input, 'dec_1'), { ...head, ...verdict })
    assert.deepEqual(await policy.decide(structuredClone(input), 'dec_1'), { ...head, ...verdict })
  })
}

test('an input of megabytes is decided as well', async () => {
  const many = Array.from({ length: 20_000 }, (_, index) => finding(`pii.kind_${index}`, 0.1))
  const verdict = await policy.decide(requestWith('detect_pii', many), 'dec_1')
  assert.equal(verdict.action, 'allow')
})

test('the probe passes for a policy that refuses nonsense, and fails for one that does not', async () => {
  await probePolicy(policy)
  const lax = { revision: '', decide: async () => ({ ...head, classification: 'PUBLIC', action: 'allow' as const }) }
  await assert.rejects(probePolicy(lax))
})

const fair = { action: 'allow', classification: 'PUBLIC', kinds: [], reasons: [] }
const NO_DECISIONS: readonly (readonly [what: string, answer: unknown])[] = [
  ['nothing', undefined],
  ['an action that nobody knows', { ...fair, action: 'permit' }],
  ['a block without a reason', { ...fair, action: 'block' }],
  ['a redaction of nothing', { ...fair, action: 'redact' }],
  ['an allow with reasons', { ...fair, reasons: [{ step: 's', kind: 'k' }] }],
  ['an allow that redacts', { ...fair, kinds: ['pii.iban'] }],
  ['a taint by no family', { ...fair, taint: ['what it says'] }],
  ['a classification that nobody knows', { ...fair, classification: 'FINE' }],
  ['a member too many', { ...fair, override: true }],
]

for (const [what, answer] of NO_DECISIONS) {
  test(`is no decision: ${what}`, () => assert.throws(() => parseDecision(answer)))
}

test('bytes that are no policy throw', async () => {
  await assert.rejects(createWasmPolicy(Buffer.from('not wasm'), document))
})

test('the revision covers the document, and the document decides', async () => {
  const milder = readFamilies().map((family) => (family.name === 'secret' ? { ...family, confidenceMin: 0.9 } : family))
  const other = await createWasmPolicy(wasm, policyDocument(createFamilyRegistry(milder)))
  assert.notEqual(other.revision, policy.revision)
  assert.equal((await createWasmPolicy(wasm, structuredClone(document))).revision, policy.revision)
  const input = requestWith('detect_secrets', [finding('secret.private_key', 0.8)])
  assert.equal((await policy.decide(input, 'dec_1')).action, 'block')
  assert.equal((await other.decide(input, 'dec_1')).action, 'allow')
})

test('without a document everything is refused', async () => {
  for (const nothing of [{}, { tappass: {} }, { tappass: { families: {}, levels: [], flags: {} } }]) {
    const bare = await createWasmPolicy(wasm, nothing)
    assert.equal((await bare.decide(requestWith('', []), 'dec_1')).action, 'block')
  }
})
