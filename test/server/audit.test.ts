/** The process that recomputes the ledger: what it says, and how it ends. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openPglite } from '../../server/adapters/pglite/pglite.ts'
import { createRandom, systemClock } from '../../server/adapters/system.ts'
import { readCheckpoint } from '../../server/checkpoint/checkpoint.ts'
import { readProof } from '../../server/checkpoint/inclusion-proof.ts'
import { createCheckpointTable } from '../../server/ledger/checkpoint-table.ts'
import { createLedger } from '../../server/ledger/ledger.ts'
import { prepareSchema } from '../../server/process/storage.ts'
import { ledgerEntry } from './ledger/entry-fixture.ts'
import { createSigning, createSigningKey } from './ledger/signing-fixture.ts'

const folder = join(mkdtempSync(join(tmpdir(), 'tappass-audit-')), 'database')
const keys = join(folder, '..')
const { signer, publicPem } = createSigningKey()
writeFileSync(join(keys, 'key.pem'), publicPem)
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
    for (let index = 0; index < 2; index++) await ledger.append(ledgerEntry())
    await createSigning(ledger, signer, createCheckpointTable(database))()
    await ledger.close()
  }),
)

const PROGRAM = join(import.meta.dirname, '../../server/audit.ts')

function audit(
  words: readonly string[],
  env: Readonly<Record<string, string>> = { TAPPASS_STORAGE: 'local', TAPPASS_DATA_DIR: folder },
): Readonly<{ code: number | null; stdout: string; stderr: string }> {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], { encoding: 'utf8', env })
  return { code: status, stdout, stderr }
}

test('intact: a sentence or JSON, and 0; what was not checked is said', () => {
  const { code, stdout } = audit(['verify'])
  assert.deepEqual([code, stdout], [0, 'intact: entries 4, chains 1, checkpoints not checked: no key\n'])
  const json = audit(['verify', '--json'])
  const expected = { status: 'intact', chains: 1, entries: 4, signed: null, unended: [] }
  assert.deepEqual([json.code, JSON.parse(json.stdout)], [0, expected])
})

test('with the key, what is signed counts, in the database and in an export of it', () => {
  const { stdout } = audit(['export'])
  const path = join(keys, 'export.jsonl')
  writeFileSync(path, stdout)
  const key = join(keys, 'key.pem')
  const intact = 'intact: entries 4, chains 1, signed 3\n'
  assert.equal(audit(['verify', '--key', key]).stdout, intact)
  assert.equal(audit(['verify', '--key', key, '--export', path], {}).stdout, intact)
})

const NONSENSE: readonly (readonly string[])[] = [
  ['verify', '--fix'],
  [],
  ['proof'],
  ['verify', 'more'],
  ['frobnicate'],
]
for (const words of NONSENSE) {
  test(`words that make no sense: usage, and 64: ${words.join(' ')}`, () => {
    const { code, stdout, stderr } = audit(words)
    assert.deepEqual([code, stdout, stderr.split(' ')[0]], [64, '', 'usage:'])
  })
}

const PROBLEMS: readonly (readonly [what: string, words: readonly string[], says: RegExp])[] = [
  ['an export that is none', ['verify', '--export', PROGRAM], /line 1 is not one of an export of a ledger/],
  ['an export that is not there', ['verify', '--export', '/nowhere'], /no such file/],
  ['a key that is none', ['verify', '--key', PROGRAM], /is no public Ed25519 key/],
  ['a checkpoint without a key', ['verify', '--since', PROGRAM], /--since needs the public key/],
  ['an entry that is not there', ['proof', 'ae_none'], /ae_none is not in the ledger/],
]
for (const [what, words, says] of PROBLEMS) {
  test(`${what}: why, and 1`, () => {
    const { code, stderr } = audit(words)
    assert.equal(code, 1)
    assert.match(stderr, says)
  })
}

test('the proof of an entry leads to the root that was signed', async () => {
  let row: { audit_id: string; entry: string } | undefined
  await withDatabase(async (database) => {
    ;[row] = await database.query('SELECT audit_id, entry FROM audit_events WHERE seq = 2')
  })
  const { code, stdout } = audit(['proof', row?.audit_id ?? ''])
  assert.equal(code, 0)
  const proof = readProof(stdout)
  const checkpoint = readCheckpoint(proof?.note ?? '', signer.publicKey)
  assert.deepEqual(proof?.rootFor(row?.entry ?? '', checkpoint?.size ?? 0), checkpoint?.root)
  assert.notDeepEqual(proof?.rootFor('another', checkpoint?.size ?? 0), checkpoint?.root)
})

test('broken: the entry is named, and 1', async () => {
  await withDatabase(async (database) => {
    await database.script('ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only')
    await database.query(`UPDATE audit_events SET event_type = 'x' WHERE seq = 3`)
  })
  const { code, stdout } = audit(['verify'])
  assert.equal(code, 1)
  assert.match(stdout, /^broken: entry 3 of chain 1-[0-9A-Z]{26}: its column event_type differs from its text/)
})

test('a database that can not be opened: why, and 1', () => {
  const { code, stderr } = audit(['verify'], { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing' })
  assert.equal(code, 1)
  assert.match(stderr, /^tappass audit: cannot reach database nothing as nobody at 127\.0\.0\.1:1/m)
})
