/** `tappass migrate`: which database it means, what it passes on, and its exit codes. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { typeCommand } from '../command-line.ts'

const home = mkdtempSync(join(tmpdir(), 'tappass-migrate-'))
after(() => rmSync(home, { recursive: true, force: true }))

const type = async (words: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
  const typed = typeCommand(['migrate', ...words], { environment, workingFolder: home })
  const code = await typed.code
  return { code, stdout: typed.stdout(), stderr: typed.stderr() }
}

const migrations = readdirSync(join(import.meta.dirname, '../../../migrations')).filter((name) => name.endsWith('.sql'))

describe('migrate', () => {
  test('takes the data folder of tappass up, from nothing to sound', async () => {
    mkdirSync(join(home, 'data/database'), { recursive: true })
    const status = await type(['status', '--data', 'data', '--json'])
    assert.equal(status.code, 2, status.stderr)
    assert.equal(JSON.parse(status.stdout).pending.length, migrations.length)
    assert.match((await type(['up', '--data', 'data'])).stdout, new RegExp(`^${migrations.length} applied`))
    assert.deepEqual((await type(['verify', '--data', 'data'])).code, 0)
    const late = await type(['baseline', '--data', 'data'])
    assert.equal(late.code, 5)
    assert.match(late.stderr, /already has a schema history/)
  })

  const rows: readonly Readonly<{
    name: string
    words: readonly string[]
    environment?: Readonly<Record<string, string>>
    code: number
    says: RegExp
  }>[] = [
    {
      name: 'a folder without a database',
      words: ['status', '--data', 'empty'],
      code: 5,
      says: /no database in the data folder\n {2}where: .*\/empty\n {2}next: {2}create one: tappass up --data empty/,
    },
    {
      name: 'DATABASE_URL out of reach',
      words: ['up'],
      environment: { DATABASE_URL: 'postgresql://a@127.0.0.1:1/b' },
      code: 6,
      says: /cannot reach database b as a at 127\.0\.0\.1:1/,
    },
    { name: 'an option of another action', words: ['up', '--at', '3'], code: 64, says: /has no option "--at"/ },
    {
      name: 'a number that is none',
      words: ['status', '--lock-timeout', 'soon', '--data', 'data'],
      code: 64,
      says: /^usage/,
    },
  ]
  for (const { name, words, environment, code, says } of rows) {
    test(`${name}: exit ${code}`, async () => {
      const typed = await type(words, environment)
      assert.equal(typed.code, code, typed.stderr)
      assert.match(typed.stderr, says)
      assert.equal(typed.stdout, '')
    })
  }

  test('a look at a folder makes nothing in it', () => assert.equal(existsSync(join(home, 'empty')), false))

  test('a Supabase answer is kept with its password in a file', async () => {
    mkdirSync(join(home, 'far/secrets'), { recursive: true })
    const supabaseUrl = 'postgresql://a@127.0.0.1:1/far'
    writeFileSync(join(home, 'far/answers.json'), JSON.stringify({ storage: 'supabase', supabaseUrl }))
    writeFileSync(join(home, 'far/secrets/supabase-key'), 'only-for-tests', { mode: 0o600 })
    const { code, stderr } = await type(['status', '--data', 'far'])
    assert.equal(code, 6)
    assert.match(stderr, /cannot reach database far as a at 127\.0\.0\.1:1/)
    assert.doesNotMatch(stderr, /only-for-tests/)
  })
})
