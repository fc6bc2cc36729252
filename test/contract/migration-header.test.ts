/** What a migration says of itself in its first lines. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseMigrationHeader } from '../../contract/migration-header.ts'

const nothing = { phase: undefined, isConcurrent: false, statementTimeout: '15min' }
const rows = [
  { sql: '-- A comment.\nSELECT 1;', says: nothing },
  { sql: '-- tappass: phase=expand\nSELECT 1;', says: { ...nothing, phase: 'expand' } },
  { sql: '-- What it is.\n-- tappass: phase=contract\n', says: { ...nothing, phase: 'contract' } },
  {
    sql: '-- tappass: phase=expand, concurrent, statement-timeout=2h\nSELECT 1',
    says: { phase: 'expand', isConcurrent: true, statementTimeout: '2h' },
  },
  { sql: '-- tappass: phase=shrink\n', says: { ...nothing, problem: 'phase=shrink' } },
  { sql: '-- tappass: statement-timeout=0\n', says: { ...nothing, problem: 'statement-timeout=0' } },
  {
    sql: "-- tappass: statement-timeout=1s'; DROP TABLE x\n",
    says: { ...nothing, problem: "statement-timeout=1s'; DROP TABLE x" },
  },
  { sql: 'SELECT 1;\n-- tappass: phase=contract\n', says: nothing },
] as const

for (const { sql, says } of rows) test(JSON.stringify(sql), () => assert.deepEqual(parseMigrationHeader(sql), says))

test('every migration of this release is understood', () => {
  const folder = join(import.meta.dirname, '../../migrations')
  for (const name of readdirSync(folder))
    assert.equal(parseMigrationHeader(readFileSync(join(folder, name), 'utf8')).problem, undefined, name)
})
