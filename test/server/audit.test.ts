/** The process that recomputes the ledger: what it says, and how it ends. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openPglite } from '../../server/adapters/pglite/pglite.ts'
import { createRandom, systemClock } from '../../server/adapters/system.ts'
import { chainClosedEntry } from '../../server/ledger/chain.ts'
import { createLedger } from '../../server/ledger/ledger.ts'
import { prepareSchema } from '../../server/process/storage.ts'

const folder = join(mkdtempSync(join(tmpdir(), 'tappass-verify-')), 'database')
after(() => rmSync(join(folder, '..'), { recursive: true }))
const random = createRandom()
const place = { kind: 'pglite', folder, cacheFolder: undefined } as const

async function withDatabase(
  work: (database: Awaited<ReturnType<typeof openPglite>>) => Promise<unknown>,
): Promise<void> {
  const database = await openPglite({ folder, nowMs: Date.now })
  await work(database)
  await database.close()
}

before(() =>
  withDatabase(async (database) => {
    await prepareSchema(database, { environment: 'development', database: place }, '0', systemClock)
    const ledger = createLedger({ database, instance: '1', clock: systemClock, random })
    for (let index = 0; index < 3; index++) await ledger.append(chainClosedEntry(systemClock, random))
  }),
)

function verify(...words: readonly string[]): Readonly<{ code: number | null; stdout: string; stderr: string }> {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, '../../server/verify.ts'), ...words],
    {
      encoding: 'utf8',
      env: { TAPPASS_STORAGE: 'local', TAPPASS_DATA_DIR: folder },
    },
  )
  return { code: status, stdout, stderr }
}

test('intact: a sentence or JSON, and 0', () => {
  const sentence = verify()
  assert.deepEqual([sentence.code, sentence.stdout], [0, 'intact: entries 4, chains 1\n'])
  const json = verify('--json')
  assert.deepEqual([json.code, JSON.parse(json.stdout)], [0, { status: 'intact', chains: 1, entries: 4 }])
})

test('words that make no sense: usage, and 64', () => {
  const { code, stdout, stderr } = verify('--fix')
  assert.deepEqual([code, stdout, stderr], [64, '', 'usage: verify.ts [--json]\n'])
})

test('broken: the entry is named, and 1', async () => {
  await withDatabase(async (database) => {
    await database.script('ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only')
    await database.query(`UPDATE audit_events SET event_type = 'x' WHERE seq = 3`)
  })
  const { code, stdout } = verify()
  assert.equal(code, 1)
  assert.match(stdout, /^broken: entry 3 of chain 1-[0-9A-Z]{26}: its column event_type differs from its text/)
})

test('a database that can not be opened: why, and 1', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, '../../server/verify.ts')], {
    encoding: 'utf8',
    env: { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing' },
  })
  assert.equal(status, 1)
  assert.match(stderr, /^tappass verify: cannot reach database nothing as nobody at 127\.0\.0\.1:1/m)
})
