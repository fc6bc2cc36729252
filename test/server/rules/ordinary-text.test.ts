/** Ordinary work is neither refused as a secret nor redacted as personal data. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStep as createPii } from '../../../server/steps/detect-pii.ts'
import { createStep as createSecrets } from '../../../server/steps/detect-secrets.ts'
import { FAMILIES, testEngine } from '../detection/engine-fixture.ts'
import { inspectText } from '../pipeline/call-fixture.ts'
import { ORDINARY_TEXTS } from './ordinary-text-fixture.ts'

const engine = testEngine()
const steps = [createPii(engine), createSecrets(engine)]
const NOTED = Object.entries(FAMILIES.find(({ name }) => name === 'pii')?.kinds ?? {})
  .filter(([, { action }]) => action === 'note')
  .map(([kind]) => `pii.${kind}`)

for (const text of ORDINARY_TEXTS) {
  test(text.slice(0, 60), async () => {
    const findings = (await Promise.all(steps.map((step) => inspectText(step, text)))).flat()
    const acted = findings.filter(({ kind, confidence }) => confidence >= 0.5 && !NOTED.includes(kind))
    assert.deepEqual(
      acted.map(({ kind, span }) => [kind, text.slice(...span)]),
      [],
    )
  })
}
