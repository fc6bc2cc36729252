/** Which servers are refused, as rows; the real ones are in migrate.test.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../../../server/core/ports.ts'
import { checkServer } from '../../../server/migration/server-check.ts'

const fit = { version: 16, encoding: 'UTF8', isAllowed: true, user: 'tappass', historyColumns: null }
const answering = (look: object): Database => ({
  kind: 'local',
  query: async <Row>() => [look] as unknown as readonly Row[],
  script: async () => {},
  transaction: () => Promise.reject(new Error('not asked for')),
  close: async () => {},
})

const rows: readonly Readonly<{ look: object; messages: readonly string[] }>[] = [
  { look: fit, messages: [] },
  { look: { ...fit, version: 15 }, messages: [] },
  { look: { ...fit, version: 18, historyColumns: 'version name sha256 catalog catalog_sha256' }, messages: [] },
  { look: { ...fit, version: 14 }, messages: ['PostgreSQL 14 is too old: 15 at least'] },
  {
    look: { version: 9, encoding: 'SQL_ASCII', isAllowed: false, user: 'u', historyColumns: 'version' },
    messages: [
      'PostgreSQL 9 is too old: 15 at least',
      'the database is encoded in SQL_ASCII',
      'u may not make tables in schema public',
      'the table schema_migrations is another tool’s',
    ],
  },
]
for (const { look, messages } of rows) {
  test(JSON.stringify(look), async () => {
    const problems = await checkServer(answering(look), 'change')
    assert.deepEqual(
      problems.map(({ message }) => message),
      messages,
    )
  })
}
