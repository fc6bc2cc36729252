/** `--batch`, `--max-fail`, `--soak`: what is understood, which hosts come together, and how many failures are too many. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Invocation } from '../../../scripts/command-line/invocation.ts'
import type { Failure } from '../../../scripts/core/failure.ts'
import { batchesOf, isTooMany, readRollout } from '../../../scripts/session/rollout.ts'

const typed = (options: Invocation['options']): Invocation =>
  ({ verb: { name: 'bootstrap' }, options }) as unknown as Invocation
const sizesOf = (batch: string | undefined) => readRollout(typed(batch === undefined ? {} : { batch })).sizes

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
    const batches = batchesOf(all, sizesOf(batch))
    assert.deepEqual(
      batches.map(({ length }) => length),
      sizes,
    )
    assert.deepEqual(batches.flat(), all)
  })
}

for (const batch of ['', '0', '-1', '1,', '1.5', '%', '25 %', 'all', '1e3', '1;2']) {
  test(`batch: "${batch}" is a usage failure`, () => {
    assert.throws(() => sizesOf(batch), { name: 'Failure', code: 64, message: /^"--batch" must be/ })
  })
}

const limits: readonly (readonly [maxFail: string | undefined, hosts: number, mostFailures: number])[] = [
  [undefined, 20, 0],
  ['0', 20, 0],
  ['2', 20, 2],
  ['10%', 20, 2],
  ['10%', 19, 1],
  ['1%', 19, 0],
  ['100%', 3, 3],
]

for (const [maxFail, hosts, most] of limits) {
  test(`max-fail: ${maxFail ?? 'none'} of ${hosts} hosts: ${most} may fail`, () => {
    const { failuresMax } = readRollout(
      typed({ batch: '1', ...(maxFail === undefined ? {} : { 'max-fail': maxFail }) }),
    )
    const counts = Array.from({ length: hosts + 1 }, (_, failures) => failures)
    assert.equal(counts.filter((failures) => !isTooMany(failures, failuresMax, hosts)).at(-1), most)
  })
}

test('soak: a number and its unit', () => {
  const soaks = ['0s', '90s', '10m', '1h', '1d'].map((soak) => readRollout(typed({ batch: '1', soak })).soakMs)
  assert.deepEqual(soaks, [0, 90_000, 600_000, 3_600_000, 86_400_000])
})

const wrong: readonly (readonly [options: Invocation['options'], what: RegExp, next: RegExp])[] = [
  [{ batch: '1', 'max-fail': '-1' }, /^"--max-fail" must be/, /bootstrap --batch 1 --max-fail 10%$/],
  [{ batch: '1', 'max-fail': '101%' }, /^"--max-fail" must be/, /--max-fail 10%$/],
  [{ batch: '1', 'max-fail': 'few' }, /^"--max-fail" must be/, /--max-fail 10%$/],
  [{ batch: '1', soak: '10' }, /^"--soak" is a number and/, /--soak 10m$/],
  [{ batch: '1', soak: 'long' }, /^"--soak" is a number and/, /--soak 10m$/],
  [{ 'max-fail': '1' }, /^"--max-fail" is about batches/, /bootstrap --max-fail 1 --batch 1,25%$/],
  [{ soak: '1m' }, /^"--soak" is about batches/, /bootstrap --soak 1m --batch 1,25%$/],
]

for (const [options, what, next] of wrong) {
  test(`rollout: ${JSON.stringify(options)} is a usage failure`, () => {
    assert.throws(
      () => readRollout(typed(options)),
      (error: Failure) => error.code === 64 && what.test(error.message) && next.test(error.text.next ?? ''),
    )
  })
}
