/** classify_data reads markings, not meanings. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStep } from '../../../server/steps/classify-data.ts'
import { testEngine } from '../detection/engine-fixture.ts'
import { inspectText } from '../pipeline/call-fixture.ts'

const step = createStep(testEngine())

const ROWS: readonly (readonly [text: string, kinds: readonly string[]])[] = [
  ['CONFIDENTIAL\nQ3 results', ['class.confidential']],
  ['Classification: Restricted', ['class.restricted']],
  ['"classification": "internal"', ['class.internal']],
  ['Data sensitivity = confidential', ['class.confidential']],
  ['STRICTLY CONFIDENTIAL', ['class.restricted', 'class.confidential']],
  ['TLP:RED', ['class.restricted']],
  ['tlp:amber+strict', ['class.confidential']],
  ['TLP:GREEN', ['class.internal']],
  ['For internal use only.', ['class.internal']],
  ['STRENG VERTRAULICH', ['class.restricted', 'class.confidential']],
  ['Einstufung: Vertraulich', ['class.confidential']],
  ['attorney-client privileged', ['class.confidential']],
  ['We keep this confidential between friends; the internal organs are shown in fig. 2', []],
  ['the area is restricted, a top secret recipe', []],
  ['UNCONFIDENTIALLY', []],
]
for (const [text, kinds] of ROWS) {
  test(`marking: ${text}`, async () => {
    assert.deepEqual(
      (await inspectText(step, text)).map(({ kind }) => kind),
      kinds,
    )
  })
}
