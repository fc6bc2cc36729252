/** scan_output finds what would carry data away, and lets ordinary answers be. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStep } from '../../../server/steps/scan-output.ts'
import { testEngine } from '../detection/engine-fixture.ts'
import { inspectText } from '../pipeline/call-fixture.ts'
import { EXFILTRATION, HARMLESS_OUTPUT } from '../rules/exfiltration-fixture.ts'

const step = createStep(testEngine())

const sure = async (text: string) =>
  (await inspectText(step, text, 'assistant')).filter(({ confidence }) => confidence >= 0.5).map(({ kind }) => kind)

for (const [kind, text] of EXFILTRATION) {
  test(`exfiltration.${kind}: ${text.slice(0, 50)}`, async () =>
    assert.ok((await sure(text)).includes(`exfiltration.${kind}`)))
}
for (const text of HARMLESS_OUTPUT) {
  test(`harmless: ${text.slice(0, 50)}`, async () => assert.deepEqual(await sure(text), []))
}
