/** Pictures of schemas: kept as text and read back, and every difference named. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  compareSnapshots,
  type Drift,
  formatDrift,
  formatSnapshot,
  parseSnapshot,
} from '../../../server/migration/schema-snapshot.ts'

const picture = (...lines: readonly (readonly [what: string, is: string])[]) => new Map(lines)
const agents = picture(['column agents.id', 'uuid not null'], ['table agents', 'table'])

describe('text', () => {
  const rows = [
    picture(),
    agents,
    picture(['function f(text)', "text sql v  x y 'tab'"], ['table "odd name"', 'table']),
  ]
  for (const [index, row] of rows.entries())
    test(`row ${index} comes back as it was`, () => assert.deepEqual(parseSnapshot(formatSnapshot(row)), row))
})

describe('differences', () => {
  const rows: readonly Readonly<{
    after: ReadonlyMap<string, string>
    drift: readonly Drift[]
    says: readonly string[]
  }>[] = [
    { after: agents, drift: [], says: [] },
    {
      after: picture(['table agents', 'table'], ['column agents.id', 'uuid']),
      drift: [{ what: 'column agents.id', before: 'uuid not null', after: 'uuid' }],
      says: ['column agents.id was changed: uuid not null → uuid'],
    },
    {
      after: picture(['table agents', 'table'], ['table own', 'table']),
      drift: [
        { what: 'column agents.id', before: 'uuid not null', after: undefined },
        { what: 'table own', before: undefined, after: 'table' },
      ],
      says: ['column agents.id is gone', 'table own was added: table'],
    },
  ]
  for (const { after, drift, says } of rows) {
    test(says.join('; ') || 'none', () => {
      assert.deepEqual(compareSnapshots(agents, after), drift)
      assert.deepEqual(drift.map(formatDrift), says)
    })
  }
})
