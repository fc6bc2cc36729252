/** The schema before a release: what the database says in rows, and what is refused, backed up and migrated. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processCommand } from '../../../scripts/control/process-target.ts'
import { within } from '../../../scripts/core/command.ts'
import type { Command } from '../../../scripts/core/host.ts'
import { systemctlOf } from '../../../scripts/core/unit-command.ts'
import { contentFact, digestFact, pathFact, targetFact } from '../../../scripts/facts/path.ts'
import { assertCurrentStarts, schema } from '../../../scripts/resources/schema.ts'
import { type FactRow, factReaderOf, factRow } from '../known-host.ts'

const releases = '/opt/tappass/releases'
const [wanted, before] = [`${releases}/2`, `${releases}/1`]
const applied = [
  { file: '001_one.sql', sha256: 'aa' },
  { file: '002_two.sql', sha256: 'bb' },
]
const manifestOf = (files: readonly Readonly<{ file: string; sha256: string }>[]): string =>
  [...files, { file: '../server/main.ts', sha256: 'ee' }]
    .map(({ file, sha256 }) => `${sha256}  ./migrations/${file}\n`)
    .join('')

/** A host: the current release and its folder, whether the wanted one is there, and what each says of the database. */
type Host = Readonly<{
  current?: string
  isInstalled?: boolean
  says?: unknown
  ownSays?: unknown
  /** Where migrations were run last, by the record, and the digest of the address that is stored. */
  migrated?: string
  address?: string
}>
const statusRow = (folder: string, value: unknown): FactRow =>
  factRow(
    {
      query: within(1, processCommand('server/migrate.ts', ['status', '--json'], 'read', '', folder)),
      parse: () => value,
    },
    value,
  )
const [encrypted, plain] = ['/etc/credstore.encrypted/database-url', '/etc/credstore/database-url']
const factsOf = ({ current, isInstalled = false, says, ownSays, migrated, address }: Host) =>
  factReaderOf([
    factRow(contentFact('/var/lib/tappass/migrated-address'), migrated),
    factRow(digestFact(encrypted), address),
    factRow(digestFact(plain), undefined),
    factRow(targetFact('/opt/tappass/current'), current),
    factRow(
      pathFact(wanted),
      isInstalled
        ? { kind: 'directory', mode: '0755', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 1 }
        : { kind: 'absent' },
    ),
    ...(current === undefined ? [] : [statusRow(current, says)]),
    statusRow(wanted, ownSays),
  ])

const ask = (host: Host, files = applied, addresses: readonly string[] = []) =>
  schema({
    addresses,
    pack: { version: '2', manifest: manifestOf(files), open: async function* () {} },
    migration: (folder, isFinishing) => `${folder} ${isFinishing}\n`,
  }).plan(factsOf(host))

const status = (pending: readonly string[], problems: readonly object[] = [], done = applied) => ({
  applied: done,
  pending: pending.map((file) => ({ file })),
  problems,
})
const third = { file: '003_three.sql', sha256: 'cc' }

const rows = [
  {
    name: 'the release is the current one: nothing is asked',
    host: { current: wanted },
    action: undefined,
    reason: undefined,
  },
  {
    name: 'another release with the same migrations',
    host: { current: before, says: status([]) },
    action: undefined,
    reason: undefined,
  },
  {
    name: 'a bare host',
    host: {},
    action: 'migrate the database',
    reason: 'not run yet: 001_one.sql 002_two.sql',
  },
  {
    name: 'one more migration, release not installed yet',
    host: { current: before, says: status([]) },
    files: [...applied, third],
    action: 'back up the database and migrate it',
    reason: 'not run yet: 003_three.sql',
  },
  {
    name: 'one more migration, by the release itself',
    host: { current: before, isInstalled: true, ownSays: status(['003_three.sql']) },
    files: [...applied, third],
    action: 'back up the database and migrate it',
    reason: 'not run yet: 003_three.sql',
  },
  {
    name: 'an empty database: there is nothing to back up',
    host: { isInstalled: true, ownSays: status(['001_one.sql'], [], []) },
    action: 'migrate the database',
    reason: 'not run yet: 001_one.sql',
  },
  {
    name: 'a database that does not answer: the migration will say so',
    host: { current: before, isInstalled: true, ownSays: undefined },
    action: 'back up the database and migrate it',
    reason: 'not run yet: 001_one.sql 002_two.sql',
  },
] as const

for (const { name, host, action, reason, ...row } of rows) {
  test(`schema: ${name}`, async () => {
    const changes = await ask(host, 'files' in row ? [...row.files] : applied)
    assert.deepEqual(
      [changes[0]?.action, changes[0]?.reason, changes.length],
      [action, reason, action === undefined ? 0 : 1],
    )
  })
}

const refusals = [
  {
    name: 'a release that lacks a migration',
    host: { current: before, says: status([]) },
    files: applied.slice(0, 1),
    what: /older than the database: it does not know 002_two\.sql/,
  },
  {
    name: 'a release that has another one of that name',
    host: { current: before, says: status([]) },
    files: [
      { file: '001_one.sql', sha256: 'aa' },
      { file: '002_two.sql', sha256: 'xx' },
    ],
    what: /002_two\.sql of this release is not the one/,
  },
  {
    name: 'a release that says so itself',
    host: { isInstalled: true, ownSays: status([], [{ message: 'the database has 009_x.sql', next: 'n' }]) },
    files: applied,
    what: /^the database has 009_x\.sql$/,
  },
] as const

for (const { name, host, files, what } of refusals) {
  test(`schema: ${name} is refused`, async () => {
    await assert.rejects(ask(host, [...files]), { code: 5, message: what })
  })
}

test('schema: the backup is first, and nothing is migrated when it fails; both name their unit', async () => {
  const [change] = await ask({ current: before, says: status([]) }, [...applied, third])
  assert.deepEqual(
    change?.commands.map((command: Command) => systemctlOf(command)),
    [
      { verb: 'start', unit: 'tappass-backup.service' },
      { verb: 'start', unit: 'tappass-migrate-next.service' },
    ],
  )
})

test('schema: a release that the database has left behind is not gone back to', async () => {
  const left = status([], [{ message: 'the database has 003_three.sql', next: 'n' }])
  await assert.rejects(assertCurrentStarts(factsOf({ current: before, says: left })), { code: 5 })
  await assertCurrentStarts(factsOf({ current: before, says: status([]) }))
  await assertCurrentStarts(factsOf({}))
})

const elsewhere = (digest: string) => `${digest}  ${encrypted}\n`
const addressRows = [
  { name: 'the address is the one before', host: { current: wanted, migrated: elsewhere('aa'), address: 'aa' } },
  {
    name: 'the address is another one, the release is not',
    host: { current: wanted, migrated: elsewhere('aa'), address: 'bb' },
    action: 'migrate the database',
  },
  {
    name: 'the database was on the host before',
    host: { current: wanted, address: 'aa' },
    action: 'migrate the database',
  },
  { name: 'a bare host, the address is not stored yet', host: {}, action: 'migrate the database' },
  {
    name: 'one more migration: the backup is the business of whoever runs the database',
    host: {
      current: before,
      isInstalled: true,
      ownSays: status([third.file]),
      migrated: elsewhere('aa'),
      address: 'aa',
    },
    action: 'migrate the database',
  },
] satisfies readonly Readonly<{ name: string; host: Host; action?: string }>[]
for (const { name, host, ...row } of addressRows)
  test(`schema, a database elsewhere: ${name}`, async () => {
    const changes = await ask(host, [...applied, third], ['database-url'])
    const wants: string | undefined = 'action' in row ? row.action : undefined
    assert.deepEqual(
      changes.map(({ action }) => action),
      wants === undefined ? [] : [wants],
    )
    assert.equal(
      changes.flatMap(({ commands }) => commands).some(({ argv }) => argv.includes('tappass-backup.service')),
      false,
    )
  })

test('schema: back on the host, its own database is migrated, and the record of the other one goes', async () => {
  const [change] = await ask({ current: wanted, migrated: elsewhere('aa') })
  assert.equal(change?.reason, 'its address is another one than before')
  const { argv } = change?.commands.at(-1) ?? { argv: [] }
  assert.deepEqual(argv.slice(3), ['sh', '/var/lib/tappass/migrated-address'])
})
