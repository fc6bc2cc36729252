/** The page about the ledger names what an entry holds, and its recipe gives an entry's commitment. */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { decisionEntry } from '../../../server/ledger/entry-builder.ts'
import { seal } from '../../../server/ledger/seal.ts'
import { callOf } from '../pipeline/call-fixture.ts'
import { ALLOWED } from './entry-fixture.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/ledger.md'), 'utf8')
const recorder = {
  clock: { nowMs: () => 1_732_500_000_000, elapsedMs: () => 0 },
  random: { bytes: (count: number) => new Uint8Array(count) },
}
const content = '{"model":"m","messages":[{"role":"user","content":"übermorgen"}]}'
const entry = decisionEntry(recorder, callOf(JSON.parse(content)), [], ALLOWED, { content }, {})

/** The names in the first column of the table below a heading. */
const named = (heading: string): readonly string[] => {
  const table = page.split(`${heading}\n`)[1]?.split('\n#')[0] ?? ''
  const cells = table.match(/^\| `[^|]*\|/gm) ?? []
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)).toSorted()
}

test('the page names every member of an entry, and of the details of a judgement, and no other', () => {
  const members = Object.keys(JSON.parse(seal(entry, 'chain', 1, null).entry) as object)
  assert.deepEqual(named('## An entry'), members.toSorted())
  assert.deepEqual(named('### Details of a judgement'), Object.keys(entry.details).toSorted())
})

test('the recipe on the page gives the commitment of an entry', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'tappass-ledger-page-'))
  writeFileSync(join(cwd, 'content.json'), content)
  const recipe = /```sh\n(.*?)```/s.exec(page)?.[1] ?? ''
  const env = { PATH: '/usr/bin:/bin', salt: String(entry.salt) }
  const said = execFileSync('sh', ['-c', recipe], { cwd, env }).toString()
  assert.equal(said.split(' ')[0], entry.details['commitment'])
})
