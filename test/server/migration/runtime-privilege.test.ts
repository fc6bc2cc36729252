/** The privileges of a gateway are those that its statements need: none is missing for a new statement, and none stays for one that is gone. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { test } from 'node:test'
import { RUNTIME_PRIVILEGES } from '../../../server/migration/runtime-privilege.ts'

const repository = join(import.meta.dirname, '../../..')
/** What a gateway does not run, or what is no code. */
const OTHERS = [`migration${sep}`, `rules${sep}`, 'migrate.ts', 'backup.ts']

/** How a statement shows what it does with a table; the first group is the table. */
const FORMS: readonly (readonly [privilege: string, form: RegExp])[] = [
  ['SELECT', /(?<!DELETE )\b(?:FROM|JOIN) ([a-z_]+)\b/g],
  ['DELETE', /\bDELETE FROM ([a-z_]+)\b/g],
  // With a condition or RETURNING it reads, too.
  ['SELECT', /\bDELETE FROM ([a-z_]+)\b[^;]{0,40}\bWHERE\b/g],
  ['SELECT', /\bUPDATE ([a-z_]+) SET\b[^;]{0,80}\bWHERE\b/g],
  ['UPDATE', /\bUPDATE ([a-z_]+) SET\b/g],
  ['INSERT', /\bINSERT INTO ([a-z_]+)\b/g],
  ['UPDATE', /\bINSERT INTO ([a-z_]+) (?:(?!INSERT INTO)[^;]){0,600}\bDO UPDATE\b/g],
]

const sources = readdirSync(join(repository, 'server'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !OTHERS.some((other) => path.startsWith(other)))
  .map((path) => readFileSync(join(repository, 'server', path), 'utf8'))
  .join('\n')

const tables = new Set(
  readdirSync(join(repository, 'migrations')).flatMap((name) =>
    [...readFileSync(join(repository, 'migrations', name), 'utf8').matchAll(/^CREATE TABLE (\w+)/gm)].map(
      ([, table]) => table,
    ),
  ),
)

/** A gateway compares the schema history with its release when it starts. Below it: what only the gateways of the release before need. */
const BESIDE = ['schema_migrations SELECT']

test('a gateway may do what its statements do, and nothing else', () => {
  const needed = FORMS.flatMap(([privilege, form]) =>
    [...sources.matchAll(form)].filter(([, table]) => tables.has(table)).map(([, table]) => `${table} ${privilege}`),
  )
  const given = Object.entries(RUNTIME_PRIVILEGES).flatMap(([table, names]) => names.map((name) => `${table} ${name}`))
  assert.deepEqual(given.toSorted(), [...new Set([...needed, ...BESIDE])].toSorted())
})
