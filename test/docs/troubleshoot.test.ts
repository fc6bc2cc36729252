/** Each error code and each exit code has its row on the page of troubles, once, and no other has. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { errorRows } from '../../server/core/errors.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/how-to/troubleshoot.md'), 'utf8')

test('every error code has a row with a cause and something to do', () => {
  const rows = [...page.matchAll(/^\| `([a-z_]+(?:\.[a-z_]+)?)` \| (.+) \| (.+) \|$/gm)]
  assert.deepEqual(
    rows.map(([, code]) => code).toSorted(),
    errorRows()
      .map(({ code }) => code as string)
      .toSorted(),
  )
})

test('every exit code has a row', () => {
  const rows = [...page.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code]) => Number(code))
  assert.deepEqual(
    rows,
    Object.values(EXIT_CODE).toSorted((a, b) => a - b),
  )
})
