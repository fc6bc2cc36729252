/** The tables of docs/reference/detectors.md are those of today (node test/server/rules/write-reference.ts writes them). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { withTables } from './reference-page.ts'

test('the page has the tables of today', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/detectors.md'), 'utf8')
  assert.equal(page, withTables(page))
})

test('a page without the marks is no page', () => {
  assert.throws(() => withTables('# Detectors'), /lacks/)
})
