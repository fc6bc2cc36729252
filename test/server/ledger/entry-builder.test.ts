/** Entries of calls: what is recorded, and that none of it is text of the call. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../../server/adapters/system.ts'
import { canonicalJson } from '../../../server/core/canonical-json.ts'
import type { StepOutcome } from '../../../server/core/step.ts'
import { commitment, decisionEntry, modelName } from '../../../server/ledger/entry-builder.ts'
import { safePointer } from '../../../server/ledger/safe-pointer.ts'
import { seal } from '../../../server/ledger/seal.ts'
import { callOf } from '../pipeline/call-fixture.ts'
import { ALLOWED } from './entry-fixture.ts'

const recorder = {
  clock: { nowMs: () => 1_732_500_000_000, elapsedMs: () => 0 },
  random: { bytes: (count: number) => new Uint8Array(count) },
}

const POINTERS: readonly (readonly [pointer: string, safe: string])[] = [
  ['', ''],
  ['/messages/0/content', '/messages/0/content'],
  ['/messages/12/tool_calls/0/function/arguments', '/messages/12/tool_calls/0/function/arguments'],
  ['/metadata/patient jane doe', '/metadata/*'],
  [
    '/tools/0/function/parameters/properties/secret_plan/description',
    '/tools/0/function/parameters/properties/*/description',
  ],
  ['/metadata/jane~1doe~#', '/metadata/*~#'],
  ['/messages/4111111111111111', '/messages/*'],
]

for (const [pointer, safe] of POINTERS) {
  test(`pointer ${pointer}`, () => assert.equal(safePointer(pointer), safe))
}

test('a model name that can be none is not recorded', () => {
  assert.equal(modelName('openai/gpt-4o:latest'), 'openai/gpt-4o:latest')
  for (const name of ['', 'my secret is', `${'m'.repeat(129)}`, 'a\nb'])
    assert.equal(modelName(name), '(not a model name)')
})

const many = Array.from({ length: 500 }, (_, index) => ({
  kind: 'pii.email',
  severity: 'medium' as const,
  pointer: '/messages/0/content',
  span: [index, index + 1] as const,
  confidence: 1,
}))

const outcomes: readonly StepOutcome[] = [
  { step: 'detect_pii', ms: 0.1234, status: 'done', findings: many },
  { step: 'rate_limit', ms: 5, status: 'failed', reason: 'StepTimeout' },
]

test('an entry holds kinds, pointers, spans, counts, sizes and times, and no text', () => {
  const body = { model: 'm', messages: [{ role: 'user', content: 'unlikelyword@example.com' }] }
  const call = callOf(body, { session: 'ses_1' })
  const entry = decisionEntry(
    recorder,
    call,
    outcomes,
    ALLOWED,
    { content: JSON.stringify(body) },
    { upstream: 'here' },
  )
  assert.ok(!JSON.stringify(entry).includes('unlikelyword'))
  assert.ok(JSON.stringify(entry).length < 4000, 'so many findings must not make an entry large')
  const { steps, findings, not_done } = entry.details
  assert.deepEqual(steps, { detect_pii: 123, rate_limit: 5000 })
  assert.deepEqual(not_done, { rate_limit: { status: 'failed', reason: 'StepTimeout' } })
  assert.deepEqual(findings, {
    detect_pii: {
      count: 500,
      listed: many
        .slice(0, 20)
        .map(({ kind, severity, confidence, pointer, span }) => ({ kind, severity, confidence, pointer, span })),
    },
  })
  assert.equal(entry.details['upstream'], 'here')
  assert.equal(JSON.stringify(entry.details), canonicalJson(entry.details), 'members are made in order')
  assert.equal(entry.details['released'], true)
})

test('a commitment can be proven with its salt, and two of the same content have nothing in common', () => {
  const salts = ['1', '2'].map((digit) => digit.repeat(64))
  const made = salts.flatMap((salt) => ['hello', 'hello!'].map((content) => commitment(salt, content)))
  assert.equal(new Set(made).size, 4)
  assert.equal(commitment(salts[0] ?? '', 'hello'), made[0])
})

test('each entry with a commitment has a salt of its own, which is not in what is hashed', () => {
  const clock = { nowMs: () => 0, elapsedMs: () => 0 }
  const entries = [1, 2].map(() =>
    decisionEntry({ clock, random: createRandom() }, callOf({}), [], ALLOWED, { content: 'hello' }, {}),
  )
  const [one, other] = entries.map(({ salt, details }) => [salt, details['commitment']])
  assert.match(String(one?.[0]), /^[0-9a-f]{64}$/)
  assert.notEqual(one?.[0], other?.[0])
  assert.equal(one?.[1], commitment(String(one?.[0]), 'hello'))
  for (const entry of entries) assert.ok(!seal(entry, 'chain', 1, null).entry.includes(String(entry.salt)))
})
