/** The budget of memory: rows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostTraitsFact } from '../../../scripts/facts/host-trait.ts'
import { memoryBudget } from '../../../scripts/resources/memory-budget.ts'
import { factRow, planLines, trixie } from '../known-host.ts'

const planned = (memoryMegabytes: number, sum: number) =>
  planLines(memoryBudget({ sum: () => sum, remedy: ({ memoryMegabytes: has }) => `add to ${has}` }), [
    factRow(hostTraitsFact, { ...trixie, memoryMegabytes }),
  ])

for (const [memory, sum] of [
  [970, 970],
  [0, 4000],
] as const)
  test(`memory budget: ${sum} MB of ${memory} are no problem, and no change`, async () => {
    assert.deepEqual(await planned(memory, sum), [])
  })

test('memory budget: more than there is is refused, with figures', async () => {
  await assert.rejects(planned(970, 1012), (error: { code: number; text: { why: string; next: string } }) => {
    assert.deepEqual(
      [error.code, error.text.why, error.text.next],
      [5, 'they add up to 1012 MB, and the host has 970 MB', 'add to 970'],
    )
    return true
  })
})
