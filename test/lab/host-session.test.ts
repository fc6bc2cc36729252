/** The plan and the runs that README.md shows are what a bare machine gives today, but for times and counts. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runHostSession } from '../../bench/session/host-session.ts'
import { readBlock, renderMarkdown } from '../../bench/session/shown-command.ts'

/** What differs between two machines: digests, such as the one in the name of OPA's socket, which goes with the host's own key, and numbers. */
const shapeOf = (text: string): string =>
  text.replaceAll(/\b(?=[a-f]*\d)[\da-f]{12,}\b/g, 'DIGEST').replaceAll(/\d+(\.\d+)?/g, 'N')

test('a bare machine today looks as the page shows it; if not: node bench/record-session.ts --host', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  assert.equal(shapeOf(renderMarkdown(await runHostSession())), shapeOf(readBlock(page, 'host')))
})
