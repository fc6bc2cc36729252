/** A backup is copied to a store and fetched from it, whatever goes wrong between: over a store in memory that fails where it is told to. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { CopyRecord } from '../../../contract/backup-store.ts'
import { recoveryPair } from '../../../contract/recovery-key.ts'
import { runCopy } from '../../../server/copies/copy-run.ts'
import { fetchSet, listSets } from '../../../server/copies/fetch-set.ts'
import { type BackupStore, StoreFailure } from '../../../server/copies/store.ts'
import { sha256 } from '../../../server/core/hash.ts'
import { memoryStore } from './memory-store.ts'

const { recipient, identity } = recoveryPair(generateKeyPairSync('x25519').privateKey)
const stranger = recoveryPair(generateKeyPairSync('x25519').privateKey).identity
const top = mkdtempSync(join(tmpdir(), 'tappass-copy-'))
after(() => rmSync(top, { recursive: true, force: true }))

const PART = 1000
const SET = 'tappass-20261127T031700Z'
const OLDER = 'tappass-20261126T031700Z'

let folders = 0
/** A folder of sets, and one for the state. Each set has a file of several parts, one of a whole part, and an empty one. */
const host = (...names: readonly string[]) => {
  const folder = join(top, String(++folders))
  const [sets, state] = [join(folder, 'sets'), join(folder, 'state')]
  for (const path of [sets, state]) mkdirSync(path, { recursive: true })
  for (const name of names) {
    mkdirSync(join(sets, name))
    const content = {
      'database.dump': randomBytes(5 * PART + 17),
      'roles.sql': randomBytes(PART),
      'empty.json': Buffer.alloc(0),
    }
    const files = Object.entries(content).map(([file, bytes]) => ({
      name: file,
      bytes: bytes.length,
      sha256: sha256(bytes),
    }))
    for (const [file, bytes] of Object.entries(content)) writeFileSync(join(sets, name, file), bytes)
    writeFileSync(join(sets, name, 'manifest.json'), JSON.stringify({ format: 2, name, files }))
    writeFileSync(join(sets, name, 'verified.json'), '{}')
  }
  let ms = Date.parse('2026-11-27T04:00:00Z')
  const now = () => {
    ms += 1000
    return new Date(ms)
  }
  const copy = (store: BackupStore, label = 'the store', sealedTo = recipient) =>
    runCopy({ sets, state, recipient: sealedTo, label, store, now, partBytes: PART }, () => {})
  const record = () => JSON.parse(readFileSync(join(state, 'last.json'), 'utf8')) as CopyRecord
  const into = join(folder, 'fetched')
  return {
    sets,
    state,
    into,
    copy,
    record,
    fetch: (store: BackupStore, set = SET, key = identity) => fetchSet({ store, identity: key, set, folder: into }),
  }
}

const filesIn = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name !== 'copied.json')
      .toSorted()
      .map((name) => [name, sha256(readFileSync(join(folder, name)))]),
  )

test('the recovery key is rotated: sets of before need the one of their time, and which one that is, is said', async () => {
  const newer = recoveryPair(generateKeyPairSync('x25519').privateKey)
  const names = [OLDER, SET, 'tappass-20261128T031700Z'] as const
  const { sets, into, copy, fetch } = host(...names)
  const { store, objects } = memoryStore()
  const sealedTo = [recipient, `${newer.recipient},${recipient}`, newer.recipient]
  for (const [at, name] of names.entries()) {
    for (const each of names) rmSync(join(sets, each, 'verified.json'), { force: true })
    writeFileSync(join(sets, name, 'verified.json'), '{}')
    assert.equal(await copy(store, 'the store', sealedTo[at]), 1)
  }
  for (const each of names) writeFileSync(join(sets, each, 'verified.json'), '{}')
  assert.deepEqual(
    (await listSets(store)).map((each) => each.recipient),
    sealedTo.toReversed(),
  )
  const wanted = new RegExp(
    `^${OLDER} is sealed to the recovery key ${recipient}, and the one that was given is ${newer.recipient}: `,
  )
  await assert.rejects(fetch(store, OLDER, newer.identity), ({ message }: Error) => wanted.test(message))
  assert.equal(existsSync(into), false, 'nothing was fetched')
  await assert.rejects(fetch(store, names[2], identity), /sealed to the recovery key/)
  for (const [name, key] of [
    [OLDER, identity],
    [SET, identity],
    [SET, newer.identity],
    [OLDER, `${newer.identity}\n${identity}`],
    [names[2], newer.identity],
  ] as const) {
    await fetch(store, name, key)
    for (const [file, digest] of Object.entries(filesIn(into)))
      assert.equal(sha256(readFileSync(join(sets, name, file))), digest, `${name} ${file}`)
    rmSync(into, { recursive: true })
  }
  // A copy of an earlier release does not say to which key it is sealed.
  for (const [name, [bytes]] of [...objects]) {
    if (bytes === undefined || !name.startsWith(`${OLDER}.index.`)) continue
    const { recipient: _, ...index } = JSON.parse(Buffer.from(bytes).toString())
    const text = Buffer.from(`${JSON.stringify(index, null, 1)}\n`)
    objects.delete(name)
    objects.set(`${OLDER}.index.${sha256(text).slice(0, 16)}.json`, [text])
  }
  await assert.rejects(
    fetch(store, OLDER, newer.identity),
    /sealed to another recovery key than the one that was given/,
  )
})

test('what was copied is fetched byte for byte, and nothing is readable in the store', async () => {
  const { sets, into, copy, fetch, record } = host(SET, OLDER)
  mkdirSync(join(sets, 'tappass-20261128T031700Z'))
  const { store, objects, sent } = memoryStore()
  assert.equal(await copy(store), 2)
  const parts = [6, 1, 1, 1, 1, 1].reduce((sum, each) => sum + each, 0)
  assert.equal(objects.size, 2 * parts)
  assert.ok(sent[0]?.startsWith(SET), 'the newest goes first')
  assert.deepEqual(
    (await listSets(store)).map(({ set, files, missing }) => [set, files, missing]),
    [
      [SET, 5, 0],
      [OLDER, 5, 0],
    ],
  )
  await fetch(store)
  assert.deepEqual(filesIn(into), filesIn(join(sets, SET)))
  const plain = readFileSync(join(sets, SET, 'database.dump')).subarray(0, 32)
  assert.ok([...objects.values()].flat().every((bytes) => !Buffer.from(bytes).includes(plain)))
  assert.deepEqual([record().problem, record().waitingSince], [undefined, undefined])
  assert.equal(await copy(store), 0)
})

test('a cut before or after any object costs that one at most, and there is no whole backup before the end', async () => {
  const { objects } = memoryStore()
  const whole = memoryStore()
  const model = host(SET)
  await model.copy(whole.store)
  const count = whole.sent.length
  for (let at = 0; at < count; at++)
    for (const where of ['before', 'after'] as const) {
      let calls = 0
      const { store, sent } = memoryStore((when) => {
        if (when === where && calls++ === at) throw new StoreFailure('away', 'the network is gone')
      })
      const { copy, fetch, sets, into } = host(SET)
      await assert.rejects(copy(store), /the network is gone/)
      const isIndexThere = at === count - 1 && where === 'after'
      assert.deepEqual(
        (await listSets(store)).filter(({ copiedAt }) => copiedAt !== undefined).length,
        isIndexThere ? 1 : 0,
      )
      assert.equal(await copy(store), 1)
      // The index names its time, so a second one is another object; a part is the same one.
      assert.ok(sent.length <= count + 1, `${sent.length} of ${count} at ${where} ${at}`)
      assert.equal(new Set(sent).size, isIndexThere ? count + 1 : count)
      await fetch(store)
      assert.deepEqual(filesIn(into), filesIn(join(sets, SET)))
    }
  assert.equal(objects.size, 0)
})

test('what a cut has left under the name of a part is passed by', async () => {
  let isCut = false
  const { store, objects } = memoryStore((when, name) => {
    if (when === 'after' && !isCut) {
      isCut = true
      objects.set(name, [Buffer.from('half')])
      throw new StoreFailure('away', 'cut')
    }
  })
  const { copy, fetch, sets, into } = host(SET)
  await assert.rejects(copy(store), /cut/)
  await copy(store)
  assert.ok([...objects.keys()].some((name) => name.endsWith('-2.age')))
  await fetch(store)
  assert.deepEqual(filesIn(into), filesIn(join(sets, SET)))
})

test('a part that a cut has left in the store is not sent again, also where a name that is taken looks like a store that is away', async () => {
  let isCut = false
  const { store, sent, objects } = memoryStore((when, name) => {
    if (when === 'before' && objects.has(name)) throw new StoreFailure('away', 'the connection was reset')
    if (when === 'after' && !isCut && name.includes('.000002.')) {
      isCut = true
      throw new StoreFailure('away', 'cut')
    }
  })
  const { copy, fetch, sets, into } = host(SET)
  await assert.rejects(copy(store), /cut/)
  assert.equal(await copy(store), 1)
  assert.equal(new Set(sent).size, sent.length)
  await fetch(store)
  assert.deepEqual(filesIn(into), filesIn(join(sets, SET)))
})

test('notes whose last line was cut are taken up to there', async () => {
  const { store, sent } = memoryStore((when, name) => {
    if (when === 'before' && name.includes('roles')) throw new StoreFailure('away', 'cut')
  })
  const { copy, state } = host(SET)
  await assert.rejects(copy(store), /cut/)
  const [folder = ''] = readdirSync(state).filter((name) => /^[0-9a-f]{16}$/.test(name))
  const path = join(state, folder, `${SET}.jsonl`)
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"file":"ro`)
  const before = sent.length
  await assert.rejects(copy(store), /cut/)
  assert.equal(sent.length, before, 'nothing was sent twice')
  assert.ok(readFileSync(path, 'utf8').endsWith('}\n'))
})

test('a store that gives back other bytes is found out at once', async () => {
  const { store } = memoryStore()
  const liar: BackupStore = { ...store, read: async (name) => (await store.read(name))?.map((byte) => byte ^ 1) }
  const { copy, record } = host(SET)
  await assert.rejects(copy(liar), /gives back other bytes/)
  const { problem, waitingSince, copiedAt } = record()
  assert.match(problem ?? '', /gives back other bytes/)
  assert.deepEqual([waitingSince !== undefined, copiedAt], [true, undefined])
})

test('a host that is being made from a backup copies nothing before that is done', async () => {
  const { sets, copy } = host(SET)
  const { store, objects } = memoryStore()
  writeFileSync(join(sets, '.founding'), SET)
  assert.deepEqual([await copy(store), objects.size], [0, 0])
  rmSync(join(sets, '.founding'))
  assert.equal(await copy(store), 1)
})

test('a file that is no longer what the manifest says is not copied', async () => {
  const { sets, copy } = host(SET)
  const path = join(sets, SET, 'database.dump')
  const bytes = readFileSync(path)
  bytes[2000] = (bytes[2000] ?? 0) ^ 1
  writeFileSync(path, bytes)
  const { store, objects } = memoryStore()
  await assert.rejects(copy(store), /is no longer what its manifest says/)
  assert.equal(objects.size, 0)
})

test('it waits since the first run that did not copy, and another store begins anew', async () => {
  const { copy, record, sets, state } = host(OLDER)
  const { store, objects } = memoryStore()
  await copy(store)
  const { copiedAt } = record()
  rmSync(join(sets, OLDER), { recursive: true })
  mkdirSync(join(sets, SET))
  writeFileSync(join(sets, SET, 'manifest.json'), '{"files":[]}')
  writeFileSync(join(sets, SET, 'verified.json'), '{}')
  const away: BackupStore = { ...store, add: () => Promise.reject(new StoreFailure('away', 'gone')) }
  await assert.rejects(copy(away), /gone/)
  const first = record().waitingSince
  await assert.rejects(copy(away), /gone/)
  assert.deepEqual([record().copiedAt, record().waitingSince], [copiedAt, first])
  const folders = () => readdirSync(state).filter((name) => /^[0-9a-f]{16}$/.test(name)).length
  const other = memoryStore()
  assert.equal(await copy(other.store, 'another store'), 1)
  assert.equal(folders(), 1)
  assert.ok(other.objects.size > 0 && objects.size > 0)
})

/** What may have become of a copy, and what fetching it does then. */
const CHANGES: readonly (readonly [
  what: string,
  change: (objects: Map<string, Uint8Array[]>, name: string) => void,
  outcome: RegExp | 'the same',
])[] = [
  ['a part was changed', (objects, name) => objects.set(name, [Buffer.from('changed')]), /missing, or has other bytes/],
  ['a part is gone', (objects, name) => objects.delete(name), /missing, or has other bytes/],
  [
    'a part was overwritten in a store with versions',
    (objects, name) => objects.get(name)?.push(Buffer.from('changed')),
    'the same',
  ],
  [
    'the index was overwritten in a store with versions',
    (objects) => [...objects].find(([name]) => name.includes('.index.'))?.[1].push(Buffer.from('{}')),
    'the same',
  ],
  [
    'another index was added later',
    (objects) => {
      const text = Buffer.from(JSON.stringify({ format: 1, set: SET, copiedAt: 'now', partBytes: 1, files: [] }))
      objects.set(`${SET}.index.${sha256(text).slice(0, 16)}.json`, [text])
    },
    'the same',
  ],
  [
    'the index is gone',
    (objects) => objects.delete([...objects.keys()].find((name) => name.includes('.index.')) ?? ''),
    /no finished copy/,
  ],
]

for (const [what, change, outcome] of CHANGES)
  test(`fetched after ${what}: ${outcome}`, async () => {
    const { copy, fetch, sets, into } = host(SET)
    const { store, objects } = memoryStore()
    await copy(store)
    change(objects, [...objects.keys()].find((name) => name.includes('.database.dump.000003.')) ?? '')
    if (outcome !== 'the same') return await assert.rejects(fetch(store), outcome)
    await fetch(store)
    assert.deepEqual(filesIn(into), filesIn(join(sets, SET)))
  })

test('fetching goes on where it was cut, and another key opens nothing', async () => {
  const { copy, fetch, sets, into } = host(SET)
  const { store } = memoryStore()
  await copy(store)
  await assert.rejects(fetch(store, SET, stranger))
  let reads = 0
  const cut: BackupStore = {
    ...store,
    read: (name) => (++reads > 5 ? Promise.reject(new StoreFailure('away', 'cut')) : store.read(name)),
  }
  await assert.rejects(fetch(cut), /cut/)
  assert.ok(existsSync(join(into, 'database.dump')))
  const fetched = await fetch(store)
  assert.ok(fetched < 11, `${fetched} of 11 parts`)
  assert.deepEqual(filesIn(into), filesIn(join(sets, SET)))
})
