/** Telling statements from what is quoted. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { lineAt, statementWords, transactionWord } from '../../../server/database/sql-statement.ts'

describe('first words', () => {
  const rows: readonly Readonly<{ sql: string; words: readonly string[] }>[] = [
    { sql: '', words: [] },
    { sql: ' ; ;\n', words: [] },
    { sql: 'select 1; Insert into t values (1)', words: ['SELECT', 'INSERT'] },
    { sql: '-- BEGIN; x\nSELECT 1', words: ['SELECT'] },
    { sql: '/* COMMIT; */ SELECT 1', words: ['SELECT'] },
    { sql: `SELECT 'a; COMMIT; ''b''; ROLLBACK'`, words: ['SELECT'] },
    { sql: `SELECT E'a\\'; COMMIT; '; DROP TABLE t`, words: ['SELECT', 'DROP'] },
    { sql: 'SELECT 1 AS "x; COMMIT"', words: ['SELECT'] },
    { sql: 'DO $$ BEGIN; COMMIT; END $$; SELECT 2', words: ['DO', 'SELECT'] },
    { sql: 'DO $a$ x $$ ; $$ y; $a$; SELECT 2', words: ['DO', 'SELECT'] },
    { sql: 'SELECT $1; SELECT $2', words: ['SELECT', 'SELECT'] },
  ]
  for (const { sql, words } of rows) test(JSON.stringify(sql), () => assert.deepEqual(statementWords(sql), words))
})

describe('words of transactions', () => {
  const rows: readonly Readonly<{ sql: string; word: string | undefined }>[] = [
    { sql: 'CREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1; END $$ LANGUAGE plpgsql', word: undefined },
    { sql: 'SELECT 1; begin', word: 'BEGIN' },
    { sql: 'START TRANSACTION', word: 'START' },
    { sql: 'x; END', word: 'END' },
    { sql: 'abort', word: 'ABORT' },
    { sql: 'SAVEPOINT a', word: 'SAVEPOINT' },
    { sql: 'release a', word: 'RELEASE' },
  ]
  for (const { sql, word } of rows) test(sql, () => assert.equal(transactionWord(sql), word))
})

test('a position becomes a line', () => {
  const sql = 'é𝄞\n\nSELECT x'
  assert.deepEqual(
    [1, 3, 4, 5, 6].map((position) => lineAt(sql, position)),
    [1, 1, 2, 3, 3],
  )
})
