/** `--batch`: what is understood, and which hosts come together. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Invocation } from '../../../scripts/command-line/invocation.ts'
import { batchesOf, readBatchSizes } from '../../../scripts/session/batch-size.ts'

const typed = (batch: string | undefined): Invocation =>
  ({ verb: { name: 'bootstrap' }, options: batch === undefined ? {} : { batch } }) as unknown as Invocation

const rows: readonly (readonly [batch: string | undefined, hosts: number, sizes: readonly number[]])[] = [
  [undefined, 5, [5]],
  ['1', 3, [1, 1, 1]],
  ['1,25%', 20, [1, 5, 5, 5, 4]],
  ['1,50%,100%', 20, [1, 10, 9]],
  ['1%', 3, [1, 1, 1]],
  ['100%', 7, [7]],
  ['10', 4, [4]],
  ['2,1', 0, []],
]

for (const [batch, hosts, sizes] of rows) {
  test(`batch: ${batch ?? 'none'} of ${hosts} hosts: ${sizes.join(', ')}`, () => {
    const all = Array.from({ length: hosts }, (_, index) => index)
    const batches = batchesOf(all, readBatchSizes(typed(batch)))
    assert.deepEqual(
      batches.map(({ length }) => length),
      sizes,
    )
    assert.deepEqual(batches.flat(), all)
  })
}

for (const batch of ['', '0', '-1', '1,', '1.5', '%', '25 %', 'all', '1e3', '1;2']) {
  test(`batch: "${batch}" is a usage failure`, () => {
    assert.throws(() => readBatchSizes(typed(batch)), { name: 'Failure', code: 64, message: /^"--batch" must be/ })
  })
}
