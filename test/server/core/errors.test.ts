/** The table of errors and its page in the docs say the same. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorBody, errorRow, errorRows } from '../../../server/core/errors.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/errors.md'), 'utf8')
const documented = page.match(/^\| `[a-z_.]+` \| \d{3} \|.*$/gm) ?? []

test('every row of the table is on the page, in the same order, and no other', () => {
  const rows = errorRows().map(
    ({ code, status, type, message }) => `| \`${code}\` | ${status} | \`${type}\` | ${message} |`,
  )
  assert.deepEqual(documented, rows)
})

test('a body has the members that OpenAI clients read, and the id of the request', () => {
  assert.deepEqual(errorBody(errorRow('auth.invalid'), 'req_1'), {
    error: {
      message: 'The key is not valid.',
      type: 'authentication_error',
      param: null,
      code: 'auth.invalid',
      request_id: 'req_1',
    },
  })
})
