/** The page of traces is up to date. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { withSpans } from './span-page.ts'

test('it has the spans and attributes of the code (node test/server/observability/write-spans.ts writes it)', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/traces.md'), 'utf8')
  assert.equal(page, withSpans(page))
})
