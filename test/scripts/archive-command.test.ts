/** PostgreSQL's archive_command (templates/postgres/archive.sh), run by sh in a folder like that of a cluster: whole or not at all, and never without bound. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { execute } from '../lab/execution.ts'

const top = mkdtempSync(join(tmpdir(), 'tappass-archive-'))
after(() => rmSync(top, { recursive: true, force: true }))
const [cluster, archive, bin, note] = ['cluster', 'wal', 'bin', 'wal-gap'].map((name) => join(top, name)) as [
  string,
  string,
  string,
  string,
]
const SCRIPT = join(import.meta.dirname, '../../templates/postgres/archive.sh')
const SEGMENT = '000000010000000000000003'
const STATUS = join(cluster, 'pg_wal/archive_status')
const place = join(archive, '7', `${SEGMENT}.gz`)

const program = (name: string, text: string) => writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })

beforeEach(() => {
  rmSync(top, { recursive: true, force: true })
  for (const folder of [STATUS, archive, bin]) mkdirSync(folder, { recursive: true })
  writeFileSync(join(cluster, 'pg_wal', SEGMENT), 'the log')
  program('pg_controldata', 'echo "pg_control version number: 1"; echo "Database system identifier:           7"')
})

const run = async (kbMin = '0') =>
  await execute(['sh', SCRIPT, `pg_wal/${SEGMENT}`, SEGMENT, archive, note, kbMin], {
    cwd: cluster,
    env: { PATH: [bin, process.env['PATH']].join(delimiter) },
  })

test('a segment is archived whole, under its cluster; asked for again it is there already; another content is refused', async () => {
  assert.equal((await run()).code, 0)
  assert.equal(gunzipSync(readFileSync(place)).toString(), 'the log')
  assert.ok(existsSync(join(archive, '.new')), 'whoever copies it is told')
  assert.equal((await run()).code, 0)
  writeFileSync(join(cluster, 'pg_wal', SEGMENT), 'another log')
  const other = await run()
  assert.notEqual(other.code, 0)
  assert.match(other.stderr, /has another content/)
  assert.equal(gunzipSync(readFileSync(place)).toString(), 'the log')
})

test('what fails is tried again, and leaves nothing; when too many wait, a segment is let go, and that is noted', async () => {
  program('gzip', 'printf half; exit 1')
  assert.notEqual((await run()).code, 0)
  assert.deepEqual([readdirSync(join(archive, '7')), existsSync(note)], [[], false])
  for (let waiting = 0; waiting < 64; waiting++) writeFileSync(join(STATUS, `${waiting}.ready`), '')
  assert.equal((await run()).code, 0)
  assert.deepEqual(readdirSync(join(archive, '7')), [])
  assert.match(readFileSync(note, 'utf8'), new RegExp(`^7 ${SEGMENT} \\S+Z it could not be written to `))
})

test('without room a segment is let go at once: the database is worth more than its archive; the first one stays noted', async () => {
  assert.equal((await run('999999999999')).code, 0)
  assert.equal(existsSync(place), false)
  const first = readFileSync(note, 'utf8')
  assert.match(first, /kB free/)
  assert.equal((await run('999999999999')).code, 0)
  assert.equal(readFileSync(note, 'utf8'), first)
})

test('a cluster that can not be told is archived nowhere', async () => {
  program('pg_controldata', 'exit 1')
  assert.notEqual((await run()).code, 0)
  assert.deepEqual(readdirSync(archive), [])
  chmodSync(archive, 0o755)
})
