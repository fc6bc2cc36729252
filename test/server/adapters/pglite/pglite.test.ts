/** What only the PGlite adapter has: a folder that belongs to one process and survives that process's death. */
import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs, { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, mock, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import { openPglite } from '../../../../server/adapters/pglite/pglite.ts'
import { DatabaseError } from '../../../../server/database/database-error.ts'

const home = await mkdtemp(join(tmpdir(), 'tappass-pglite-'))
after(() => rm(home, { recursive: true, force: true }))
const nowMs = () => Date.UTC(2026, 10, 24)

const startWriter = (folder: string, first = 0, more: readonly string[] = []): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, [join(import.meta.dirname, 'pglite-writer.ts'), folder, String(first), ...more])

const kill = async (child: ChildProcessWithoutNullStreams): Promise<void> => {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

const refusal = async (folder: string): Promise<string> => {
  const error = await openPglite({ folder, nowMs }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof DatabaseError, `expected a DatabaseError, got ${error}`)
  return error.message
}

describe('a process that is killed', () => {
  test('keeps every row that it was told is written, round after round', async () => {
    const folder = join(home, 'killed')
    const acknowledged: number[] = []
    // So many rows are acknowledged in each round before the kill, which then falls anywhere in a later statement.
    for (const rows of [1, 40, 7, 150, 3]) {
      const child = startWriter(folder, acknowledged.length === 0 ? 0 : Math.max(...acknowledged) + 1000)
      let seen = 0
      for await (const line of createInterface(child.stdout)) {
        if (line !== 'open') acknowledged.push(Number(line))
        if (line !== 'open' && ++seen === rows) child.kill('SIGKILL')
      }
    }
    const database = await openPglite({ folder, nowMs })
    const rows = await database.query<{ n: number; length: number }>('SELECT n, length(filler) AS length FROM written')
    await database.close()
    const found = new Map(rows.map(({ n, length }) => [n, length]))
    assert.ok(acknowledged.length >= 201)
    assert.deepEqual(
      acknowledged.filter((n) => found.get(n) !== 500),
      [],
      'rows acknowledged and gone',
    )
  })

  for (const sign of ['database.new', 'database.new/PG_VERSION', 'database.new/global/pg_control']) {
    test(`in its first start, when ${sign} is there, is followed by a good start`, async () => {
      const folder = join(home, `first-${sign.replaceAll('/', '-')}`)
      const child = startWriter(folder)
      while (!existsSync(join(folder, sign)) && child.exitCode === null) await sleep(1)
      await kill(child)
      const database = await openPglite({ folder, nowMs })
      assert.deepEqual(await database.query('SELECT 1 AS one'), [{ one: 1 }])
      await database.close()
      assert.deepEqual((await readdir(folder)).sort(), ['database', 'holder', 'lock'])
    })
  }
})

describe('a folder', () => {
  test('belongs to one process at a time', async () => {
    const folder = join(home, 'taken')
    const child = startWriter(folder)
    for await (const line of createInterface(child.stdout)) {
      if (line === 'open') continue
      assert.match(
        await refusal(folder),
        new RegExp(
          `^the data folder ${folder} is in use by another TapPass \\(process ${child.pid} since 20.*Z\\): stop`,
        ),
      )
      break
    }
    await kill(child)
    await (await openPglite({ folder, nowMs })).close()
  })

  test('belongs to one opener in this process, too, until that closes it', async () => {
    const folder = join(home, 'twice')
    const database = await openPglite({ folder, nowMs })
    assert.match(await refusal(folder), /in use by another TapPass \(process \d+ since 2026-11-24T00:00:00\.000Z\)/)
    await database.query('CREATE TABLE mark (i int)')
    await database.close()
    const again = await openPglite({ folder, nowMs })
    assert.deepEqual(await again.query('SELECT * FROM mark'), [])
    await again.close()
  })

  test('is for its owner alone', async () => {
    const folder = join(home, 'deep/er')
    await (await openPglite({ folder, nowMs })).close()
    assert.equal((await stat(folder)).mode & 0o777, 0o700)
  })

  test('that is a file is one clear error', async () => {
    const folder = join(home, 'file')
    await writeFile(folder, 'not a folder')
    assert.match(await refusal(folder), /^the data folder .*\/file cannot be used: EEXIST/)
  })

  test('whose database is damaged is one clear error, and is left as it is', async () => {
    const folder = join(home, 'damaged')
    await (await openPglite({ folder, nowMs })).close()
    await writeFile(join(folder, 'database/global/pg_control'), 'nonsense')
    assert.match(await refusal(folder), /^the database in .*\/damaged\/database cannot be opened: restore a backup/)
    assert.match(await refusal(folder), /cannot be opened/)
  })

  test('that this user may not read is one clear error', async () => {
    const folder = join(home, 'locked')
    await mkdir(folder, { mode: 0o000 })
    await chmod(home, 0o755)
    const child = startWriter(folder, 0, process.getuid?.() === 0 ? ['65534'] : [])
    const words: string[] = []
    for await (const line of createInterface(child.stderr)) words.push(line)
    assert.match(words.join('\n'), /the data folder .*\/locked cannot be used: EACCES: permission denied/)
  })
})

describe('durability', () => {
  test('every commit reaches the disk', async () => {
    let flushes = 0
    const real = fs.fsyncSync
    mock.method(fs, 'fsyncSync', (descriptor: number) => {
      flushes += 1
      real(descriptor)
    })
    syncBuiltinESMExports()
    const database = await openPglite({ folder: join(home, 'durable'), nowMs })
    await database.query('CREATE TABLE mark (i int)')
    const before = flushes
    for (let i = 0; i < 10; i++) await database.query('INSERT INTO mark VALUES ($1)', [i])
    const commits = flushes - before
    const settings = await database.query(
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit`,
    )
    await database.close()
    mock.restoreAll()
    syncBuiltinESMExports()
    assert.deepEqual(settings, [{ fsync: 'on', commit: 'on' }])
    assert.ok(commits >= 10, `${commits} flushes for 10 commits`)
  })
})

describe('the template', () => {
  test('is what the initdb of the installed PGlite makes', async () => {
    const picture = `SELECT version() AS version, pg_read_file('postgresql.conf') AS settings, pg_read_file('pg_hba.conf') AS doors,
      (SELECT md5(string_agg(p::text, '|' ORDER BY p.oid)) FROM pg_proc p) AS functions,
      (SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class) AS relations,
      (SELECT string_agg(r.rolname || r.rolsuper, ' ' ORDER BY r.rolname) FROM pg_roles r) AS roles,
      (SELECT string_agg(datname || pg_encoding_to_char(encoding) || datcollate, ' ' ORDER BY datname) FROM pg_database) AS databases`
    const made = await PGlite.create()
    const [expected] = (await made.query(picture)).rows
    await made.close()
    const database = await openPglite({ nowMs })
    const [actual] = await database.query(picture)
    await database.close()
    assert.deepEqual(actual, expected)
  })
})
