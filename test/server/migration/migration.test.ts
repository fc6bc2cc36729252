/** Planning migrations: rows of files and ledgers, and what follows from them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type AppliedMigration,
  beforeAcceptance,
  parseMigrations,
  planMigrations,
} from '../../../server/migration/migration.ts'

const file = (name: string, text = `-- ${name}\nSELECT 1;\n`) => ({ file: name, text })
const three = [file('001_one.sql'), file('002_two.sql'), file('003_three.sql')]
const { migrations } = parseMigrations(three)
const ledger = (...versions: readonly number[]): readonly AppliedMigration[] =>
  migrations
    .filter(({ version }) => versions.includes(version))
    .map(({ version, name, sha256 }) => ({ version, name, sha256 }))

describe('a set of files', () => {
  test('is in order of its numbers, whatever the order of reading', () => {
    const { migrations: parsed, problems } = parseMigrations(three.toReversed())
    assert.deepEqual(
      parsed.map(({ version, name }) => [version, name]),
      [
        [1, 'one'],
        [2, 'two'],
        [3, 'three'],
      ],
    )
    assert.deepEqual(problems, [])
  })

  test('has the same checksum with either kind of line end', () => {
    const [unix, windows] = ['a;\nb;\n', 'a;\r\nb;\r\n'].map(
      (text) => parseMigrations([file('001_a.sql', text)]).migrations[0],
    )
    assert.equal(windows?.sha256, unix?.sha256)
    assert.equal(windows?.sql, unix?.sql)
  })

  const bad: readonly Readonly<{
    name: string
    files: readonly ReturnType<typeof file>[]
    codes: readonly string[]
    says: RegExp
  }>[] = [
    {
      name: 'a gap',
      files: [file('001_a.sql'), file('003_c.sql')],
      codes: ['missing'],
      says: /002_….sql is missing: the file after 001_a.sql is 003_c.sql/,
    },
    {
      name: 'no first',
      files: [file('002_b.sql')],
      codes: ['missing'],
      says: /001_….sql is missing: the file after the beginning is 002_b.sql/,
    },
    {
      name: 'one number twice',
      files: [file('001_a.sql'), file('001_b.sql')],
      codes: ['duplicate'],
      says: /001_b.sql and 001_a.sql have the same number/,
    },
    {
      name: 'a short number',
      files: [file('1_a.sql')],
      codes: ['unknown'],
      says: /1_a.sql is not named like a migration/,
    },
    { name: 'capitals', files: [file('001_A.sql')], codes: ['unknown'], says: /001_A.sql/ },
    {
      name: 'another kind of file',
      files: [file('001_a.sql'), file('README.md')],
      codes: ['unknown'],
      says: /README.md/,
    },
    {
      name: 'an own transaction',
      files: [file('001_a.sql', 'BEGIN; SELECT 1; COMMIT;')],
      codes: ['transaction'],
      says: /001_a.sql has BEGIN of its own/,
    },
    {
      name: 'an end of ours',
      files: [file('001_a.sql', 'SELECT 1;\n\n  commit ;')],
      codes: ['transaction'],
      says: /has COMMIT of its own/,
    },
    {
      name: 'a first line that nobody understands',
      files: [file('001_a.sql', '-- tappass: phase=later\nSELECT 1')],
      codes: ['header'],
      says: /001_a.sql says "phase=later" in its first line/,
    },
    {
      name: 'two statements outside of a transaction',
      files: [file('001_a.sql', '-- tappass: concurrent\nSELECT 1; SELECT 2;')],
      codes: ['header'],
      says: /001_a.sql is concurrent and has 2 statements/,
    },
    {
      name: 'two at once',
      files: [file('001_a.sql', 'ROLLBACK'), file('x')],
      codes: ['unknown', 'transaction'],
      says: /x is not named/,
    },
  ]
  for (const { name, files, codes, says } of bad) {
    test(`with ${name} is refused`, () => {
      const { problems } = parseMigrations(files)
      assert.deepEqual(
        problems.map(({ code }) => code),
        codes.map((code) => `migration.${code}`),
      )
      assert.match(problems[0]?.message ?? '', says)
      assert.ok(problems.every(({ next, file: named }) => next !== '' && named !== ''))
    })
  }
})

describe('a plan', () => {
  const good: readonly Readonly<{ done: readonly number[]; pending: readonly number[] }>[] = [
    { done: [], pending: [1, 2, 3] },
    { done: [1], pending: [2, 3] },
    { done: [1, 2], pending: [3] },
    { done: [1, 2, 3], pending: [] },
  ]
  for (const { done, pending } of good) {
    test(`with ${done.join(' ') || 'nothing'} done is ${pending.join(' ') || 'nothing'}`, () => {
      const plan = planMigrations(migrations, ledger(...done))
      assert.deepEqual(plan.problems, [])
      assert.deepEqual(
        plan.pending.map(({ version }) => version),
        pending,
      )
    })
  }

  const edited = (row: AppliedMigration, change: Partial<AppliedMigration>) => ({ ...row, ...change })
  const [one, two, last] = ledger(1, 2, 3) as [AppliedMigration, AppliedMigration, AppliedMigration]
  const newer = { version: 4, name: 'four', sha256: 'f'.repeat(64) }
  const refused: readonly Readonly<{
    name: string
    files?: readonly ReturnType<typeof file>[]
    applied: readonly AppliedMigration[]
    problems: readonly (readonly [code: string, file: string])[]
    says: RegExp
    next: RegExp
  }>[] = [
    {
      name: 'an edited file',
      applied: [one, edited(two, { sha256: 'e'.repeat(64) })],
      problems: [['edited', '002_two.sql']],
      says: /^002_two.sql was changed after it was run \(then eeeeeeeeeeee, now [0-9a-f]{12}\)$/,
      next: /put migrations\/002_two.sql back as it was, and make the change in a new file 004_….sql/,
    },
    {
      name: 'a renamed file',
      applied: [one, edited(two, { name: 'zwei' })],
      problems: [['edited', '002_two.sql']],
      says: /was called 002_zwei.sql when it was run/,
      next: /put migrations\/002_zwei.sql back/,
    },
    {
      name: 'a file that is gone',
      files: [three[0], three[2]] as readonly ReturnType<typeof file>[],
      applied: [one, two, last],
      problems: [['missing', '002_two.sql']],
      says: /^002_two.sql was run on this database and its file is gone$/,
      next: /install this release again/,
    },
    {
      name: 'a database from a later release',
      applied: [one, two, last, newer],
      problems: [['newer', '004_four.sql']],
      says: /the database has 004_four.sql, which this release does not know \(its newest is 003\)/,
      next: /run the release that made it/,
    },
    {
      name: 'a file that came in late',
      applied: [one, last],
      problems: [['out-of-order', '002_two.sql']],
      says: /^002_two.sql was never run here, although 003 was$/,
      next: /give the file a number after 003/,
    },
    {
      name: 'several at once',
      applied: [edited(one, { sha256: 'a'.repeat(64) }), last, newer],
      problems: [
        ['edited', '001_one.sql'],
        ['newer', '004_four.sql'],
        ['out-of-order', '002_two.sql'],
      ],
      says: /001_one.sql was changed/,
      next: /001_one.sql/,
    },
  ]
  for (const { name, files = three, applied, problems, says, next } of refused) {
    test(`with ${name} is refused, by name and with a way out`, () => {
      const plan = planMigrations(parseMigrations(files).migrations, applied)
      assert.deepEqual(
        plan.problems.map((problem) => [problem.code, problem.file]),
        problems.map(([code, named]) => [`migration.${code}`, named]),
      )
      assert.match(plan.problems[0]?.message ?? '', says)
      assert.match(plan.problems[0]?.next ?? '', next)
    })
  }
})

describe('phases', () => {
  const set = parseMigrations([
    file('001_one.sql'),
    file('002_two.sql', '-- tappass: phase=contract\nSELECT 2'),
    file('003_three.sql', '-- tappass: phase=expand\nSELECT 3'),
  ]).migrations
  const [one, , three] = set.map(({ version, name, sha256, header }) => ({
    version,
    name,
    sha256,
    phase: header.phase,
  }))
  const numbers = (found: readonly Readonly<{ version: number }>[]) => found.map(({ version }) => version)

  test('what waits for the acceptance of its release may be run after later files', () => {
    const { pending, problems } = planMigrations(set, [one, three] as AppliedMigration[])
    assert.deepEqual([numbers(pending), problems], [[2], []])
  })

  test('before the acceptance it is left out, and in an empty database it is not', () => {
    assert.deepEqual(numbers(beforeAcceptance(set, [])), [1, 2, 3])
    assert.deepEqual(numbers(beforeAcceptance(set.slice(1), [one] as AppliedMigration[])), [3])
  })

  for (const { phase, codes } of [
    { phase: 'expand', codes: [] },
    { phase: 'contract', codes: ['migration.newer'] },
    { phase: null, codes: ['migration.newer'] },
  ] as const) {
    test(`a file of a later release that says ${phase}: ${codes.join() || 'this one goes on beside it'}`, () => {
      const later = { version: 4, name: 'four', sha256: 'f'.repeat(64), phase }
      const { problems } = planMigrations(set, [one, three, later] as AppliedMigration[])
      assert.deepEqual(
        problems.map(({ code }) => code),
        codes,
      )
    })
  }
})
