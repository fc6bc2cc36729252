/** The backup program against a stand-in for Docker's client: what it leaves when a tool fails, and what it lets go. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'

const program = join(import.meta.dirname, '../../server/backup.ts')
const contents = ['audit_events', 'agents', 'organizations', 'schema_migrations']
  .map((table, index) => `${4000 + index}; 0 ${16_384 + index} TABLE DATA public ${table} tappass`)
  .join('\n')

/** What the tools inside the container say; a text is printed, `fails` gives exit code 1 after it. */
type Tools = Readonly<{ dump?: string; dumpFails?: true; list?: string; bytes?: string }>

const layDocker = (
  folder: string,
  { dump = 'PGDMP-archive', dumpFails, list = contents, bytes = '1000' }: Tools,
): void => {
  const script = `#!/bin/sh
case "$*" in
  *pg_database_size*) echo ${bytes} ;;
  *schema_migrations*) echo 12 ;;
  *pg_dump*) printf '%s' '${dump}'; echo dumped >>${folder}/calls; ${dumpFails ? 'echo "connection lost" >&2; exit 1' : 'exit 0'} ;;
  *pg_restore*) cat >/dev/null; printf '%s\\n' '${list}' ;;
  *) exit 64 ;;
esac
`
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/docker'), script, { mode: 0o755 })
}

/** Runs the program in a folder of its own, with `there` in it beforehand. */
const backUp = (context: TestContext, tools: Tools, there: readonly string[] = [], keep = ['2', '0']) => {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-backup-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const backups = join(folder, 'backups')
  mkdirSync(backups)
  for (const name of there) writeFileSync(join(backups, name), '')
  layDocker(folder, tools)
  const words = ['--into', backups, '--keep-daily', keep[0] ?? '', '--keep-weekly', keep[1] ?? '']
  const env = { PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter) }
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], { env, encoding: 'utf8' })
  return { status, stdout, stderr, backups, folder, names: readdirSync(backups).toSorted() }
}

const whole = /^tappass-\d{8}T\d{6}Z\.(dump|json)$/

test('backup: a dump and its manifest, for root only', (context) => {
  const { status, stderr, names, backups } = backUp(context, {})
  assert.deepEqual([status, stderr, names.length, names.every((name) => whole.test(name))], [0, '', 2, true])
  const [dump = '', json = ''] = names
  const bytes = readFileSync(join(backups, dump))
  const manifest = JSON.parse(readFileSync(join(backups, json), 'utf8'))
  assert.equal(bytes.toString(), 'PGDMP-archive')
  assert.deepEqual(
    { ...manifest, takenAt: '', release: '' },
    {
      format: 1,
      dump,
      takenAt: '',
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      release: '',
      schema: '12',
    },
  )
  for (const name of names) assert.equal(statSync(join(backups, name)).mode & 0o777, 0o600)
})

const failures: readonly Readonly<{ name: string; tools: Tools; says: RegExp }>[] = [
  { name: 'the dump breaks off half-way', tools: { dump: 'PGDMP-ha', dumpFails: true }, says: /connection lost/ },
  {
    name: 'the dump is whole, but without the ledger',
    tools: { list: contents.replace(/.*audit_events.*\n/, '') },
    says: /audit_events/,
  },
  { name: 'the archive has no contents', tools: { list: '' }, says: /lacks the table/ },
  { name: 'the disk is too small', tools: { bytes: '1000000000000000000' }, says: /free space/ },
]

for (const { name, tools, says } of failures) {
  test(`backup: ${name}: it fails, nothing looks like a backup, nothing goes`, (context) => {
    const there = [
      'tappass-20200101T031700Z.dump',
      'tappass-20200101T031700Z.json',
      'tappass-20200102T031700Z.dump',
      'tappass-20200102T031700Z.json',
    ]
    const { status, stderr, names } = backUp(context, tools, there, ['1', '0'])
    assert.equal(status, 1)
    assert.match(stderr, says)
    assert.deepEqual(
      names.filter((each) => !each.endsWith('.partial')),
      there,
    )
  })
}

test('backup: where the disk is too small no dump is even begun', (context) => {
  const { folder } = backUp(context, { bytes: '1000000000000000000' })
  assert.throws(() => readFileSync(join(folder, 'calls')), /ENOENT/)
})

test('backup: old ones go by the rule, what a killed run left goes, other files stay', (context) => {
  const days = ['20200101', '20200102', '20200103'].flatMap((day) => [
    `tappass-${day}T031700Z.dump`,
    `tappass-${day}T031700Z.json`,
  ])
  const { status, names } = backUp(context, {}, [
    ...days,
    'tappass-20200104T031700Z.dump',
    'tappass-20200105T031700Z.dump.partial',
    'notes.txt',
  ])
  assert.equal(status, 0)
  const [notes, oldDump, oldJson, ...fresh] = names
  assert.deepEqual(
    [notes, oldDump, oldJson],
    ['notes.txt', 'tappass-20200103T031700Z.dump', 'tappass-20200103T031700Z.json'],
  )
  assert.equal(fresh.length, 2)
})
