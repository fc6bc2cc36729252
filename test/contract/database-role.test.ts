/** The roles that both halves know are those that a host's database has. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { OWN_ROLES } from '../../contract/database-role.ts'

test('role.sql makes these roles, and no other', () => {
  const sql = readFileSync(join(import.meta.dirname, '../../templates/postgres/role.sql'), 'utf8')
  const [, made = ''] = /unnest\('\{([a-z_,]+)\}'::text\[\]\)/.exec(sql) ?? []
  assert.deepEqual(made.split(','), OWN_ROLES)
})
