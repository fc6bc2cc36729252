/** Errors of drivers, as the one error that both database adapters throw. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DatabaseError,
  databaseErrorOf,
  hasSqlState,
  UNIQUE_VIOLATION,
} from '../../../server/database/database-error.ts'

const rows: readonly Readonly<{ cause: unknown; message: string; sqlState: string | undefined }>[] = [
  { cause: Object.assign(new Error('twice'), { code: '23505' }), message: 'doing: twice', sqlState: '23505' },
  { cause: Object.assign(new Error('raised'), { code: 'P0001' }), message: 'doing: raised', sqlState: 'P0001' },
  { cause: Object.assign(new Error('pipe'), { code: 'EPIPE' }), message: 'doing: pipe', sqlState: undefined },
  { cause: Object.assign(new Error('none'), { code: 'ENOENT' }), message: 'doing: none', sqlState: undefined },
  {
    cause: Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
    message: 'doing: ECONNREFUSED',
    sqlState: undefined,
  },
  { cause: 'text', message: 'doing: text', sqlState: undefined },
  { cause: null, message: 'doing: null', sqlState: undefined },
]
for (const { cause, message, sqlState } of rows) {
  test(message, () => {
    const error = databaseErrorOf(cause, 'doing')
    assert.deepEqual([error.message, error.sqlState, error.cause], [message, sqlState, cause])
    assert.equal(hasSqlState(error, UNIQUE_VIOLATION), sqlState === '23505')
    assert.equal(databaseErrorOf(error, 'again'), error)
  })
}

test('an error of somebody else has no state', () => {
  assert.equal(hasSqlState(new Error('x'), UNIQUE_VIOLATION), false)
  assert.ok(new DatabaseError('x', undefined, undefined) instanceof Error)
})
