/** The archived log and base backups are copied to a store, and a moment is fetched from it: over a store in memory that fails where it is told to. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { unpackTar } from 'modern-tar'
import type { CopyRecord } from '../../../contract/backup-store.ts'
import { recoveryPair } from '../../../contract/recovery-key.ts'
import { signManifest } from '../../../server/backups/manifest.ts'
import { createNoteSigner } from '../../../server/checkpoint/signed-note.ts'
import { runCopy } from '../../../server/copies/copy-run.ts'
import { fetchPoint, LOG_FILE } from '../../../server/copies/fetch-point.ts'
import { nextInTurn } from '../../../server/copies/scrub.ts'
import { type BackupStore, StoreFailure } from '../../../server/copies/store.ts'
import { sha256 } from '../../../server/core/hash.ts'
import { createSigningKey } from '../ledger/signing-fixture.ts'
import { memoryStore } from './memory-store.ts'

const { recipient, identity } = recoveryPair(generateKeyPairSync('x25519').privateKey)
const top = mkdtempSync(join(tmpdir(), 'tappass-wal-'))
after(() => rmSync(top, { recursive: true, force: true }))

const signer = createNoteSigner(createSigningKey().privatePem)
const PART = 1000
const CLUSTER = '7400000000000000001'
const segment = (number: number) => number.toString(16).toUpperCase().padStart(24, '0').replace(/^0{8}/, '00000001')
const timeOf = (number: number) => new Date(Date.parse('2026-11-27T04:00:00Z') + number * 60_000)

let folders = 0
const host = () => {
  const folder = join(top, String(++folders))
  const [sets, state, wal, into] = ['sets', 'state', 'wal', 'into'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ]
  for (const path of [sets, state, join(wal, CLUSTER), into]) mkdirSync(path, { recursive: true })
  /** What is archived at that minute. */
  const archive = (number: number, bytes = 300) => {
    const path = join(wal, CLUSTER, `${segment(number)}.gz`)
    writeFileSync(path, randomBytes(bytes))
    utimesSync(path, timeOf(number), timeOf(number))
  }
  const base = (name: string, first: number, last: number, by = signer) => {
    const tar = randomBytes(2 * PART + 7)
    const note = {
      ...{ format: 1, name, takenAt: timeOf(first).toISOString(), endedAt: timeOf(last).toISOString(), release: '1' },
      ...{
        systemId: CLUSTER,
        firstWal: segment(first),
        lastWal: segment(last),
        bytes: tar.length,
        sha256: sha256(tar),
      },
    }
    const text = `${JSON.stringify(note)}\n`
    mkdirSync(join(sets, name))
    writeFileSync(join(sets, name, 'base.tar.gz'), tar)
    writeFileSync(join(sets, name, 'base.json'), text)
    writeFileSync(join(sets, name, 'base.json.sig'), signManifest(by, name, text))
  }
  let ms = Date.parse('2026-11-27T06:00:00Z')
  const now = () => {
    ms += 1000
    return new Date(ms)
  }
  const copy = (store: BackupStore, onPart?: () => Promise<void>) =>
    runCopy(
      { sets, wal, state, recipient, label: 'the store', store, now, partBytes: PART, ...(onPart ? { onPart } : {}) },
      () => {},
    )
  return {
    ...{ sets, state, wal, into, archive, base, copy },
    wait: (days: number) => {
      ms += days * 86_400_000
    },
    record: () => JSON.parse(readFileSync(join(state, 'last.json'), 'utf8')) as CopyRecord,
    fetch: (store: BackupStore, time?: Date) =>
      fetchPoint({ store, identity, folder: into, keys: [signer.publicKey], time }),
  }
}

const batchesIn = (objects: Map<string, unknown>) => [...objects.keys()].filter((name) => name.startsWith('wal-'))

/** The segments of the log that was fetched; of one that stands twice the first counts. */
const logIn = async (into: string, base: string) => {
  const bytes = readFileSync(join(into, base, LOG_FILE))
  const members = new Map<string, string>()
  // Archives follow each other, each with blocks of zeros at its end.
  for (let rest = bytes; rest.length > 0; ) {
    const end = rest.indexOf(Buffer.alloc(1024))
    for (const { header, data } of await unpackTar(new Uint8Array(rest.subarray(0, end + 1024))))
      if (!members.has(header.name)) members.set(header.name, sha256(data ?? new Uint8Array()))
    let next = end
    while (next < rest.length && rest[next] === 0) next += 1
    rest = rest.subarray(next)
  }
  return members
}

test('what waits goes in batches of a part, sealed; what comes later in one more; nothing is sent twice', async () => {
  const { archive, copy, record } = host()
  const { store, objects, sent } = memoryStore()
  for (const number of [1, 2, 3, 4]) archive(number)
  archive(5, 3 * PART)
  await copy(store)
  const names = (pairs: readonly (readonly [number, number])[]) =>
    pairs.map(([first, last]) => `wal-${CLUSTER}.${segment(first)}-${segment(last)}`)
  const beginnings = () => batchesIn(objects).map((name) => name.split('.').slice(0, 2).join('.'))
  assert.deepEqual(
    beginnings(),
    names([
      [1, 3],
      [4, 4],
      [5, 5],
    ]),
  )
  assert.deepEqual([record().walWaitingSince, record().walCopiedAt], [undefined, timeOf(5).toISOString()])
  assert.equal(await copy(store), 0)
  archive(6)
  assert.equal(await copy(store), 1)
  assert.deepEqual(beginnings().at(-1), names([[6, 6]])[0])
  assert.equal(new Set(sent).size, sent.length)
})

test('the log does not wait for a large backup: what is archived meanwhile goes after the next part', async () => {
  const { archive, base, copy } = host()
  const { store, sent } = memoryStore()
  base('base-20261127T040100Z', 1, 2)
  for (const number of [1, 2]) archive(number)
  let parts = 0
  await copy(store, async () => {
    parts += 1
    if (parts === 1) archive(3)
  })
  const at = sent.findIndex((name) => name.includes(segment(3)))
  const index = sent.findIndex((name) => name.includes('.index.'))
  assert.ok(at > 0 && at < index, sent.join('\n'))
})

test('while the store is away the record says since when the log waits; after a cut before or after an object it goes on', async () => {
  for (const when of ['before', 'after'] as const) {
    const { archive, copy, record, base, fetch } = host()
    let isAway = true
    const { store } = memoryStore((at) => {
      if (isAway && at === when) throw new StoreFailure('away', 'the network is gone')
    })
    for (const number of [1, 2]) archive(number)
    await assert.rejects(copy(store), /the network is gone/)
    assert.deepEqual([record().walWaitingSince, record().problem], [timeOf(1).toISOString(), 'the network is gone'])
    archive(3)
    isAway = false
    base('base-20261127T040100Z', 1, 2)
    assert.equal(await copy(store), 4)
    assert.equal(record().walWaitingSince, undefined)
    assert.equal((await fetch(store)).name, 'base-20261127T040100Z')
  }
})

test('a base backup without a signature was not proven, and is not copied; nor is one that the disk has damaged', async () => {
  const { base, copy, sets } = host()
  const { store, objects } = memoryStore()
  base('base-20261127T040100Z', 1, 2)
  const path = join(sets, 'base-20261127T040100Z', 'base.json.sig')
  const text = readFileSync(path)
  unlinkSync(path)
  assert.equal(await copy(store), 0)
  assert.equal(objects.size, 0)
  writeFileSync(path, text)
  writeFileSync(join(sets, 'base-20261127T040100Z', 'base.tar.gz'), 'damaged')
  await assert.rejects(copy(store), /is no longer what its manifest says/)
})

/** A store with two bases and ten segments of the log, and what fetching a moment gives. */
const filled = async () => {
  const own = host()
  const { store, objects } = memoryStore()
  own.base('base-20261127T040100Z', 1, 2)
  own.base('base-20261127T040600Z', 6, 7)
  for (let number = 1; number <= 10; number++) {
    own.archive(number)
    await own.copy(store)
  }
  return { ...own, store, objects }
}

const moments: readonly (readonly [what: string, minute: number | undefined, base: string | RegExp, first: number])[] =
  [
    ['the end of the log', undefined, 'base-20261127T040600Z', 6],
    ['a moment after both', 8, 'base-20261127T040600Z', 6],
    ['a moment between them', 5, 'base-20261127T040100Z', 1],
    ['a moment while the second was taken', 6.5, 'base-20261127T040100Z', 1],
    ['a moment before the first', 1, /the first moment that the store has is 2026-11-27T04:02/, 0],
  ]
for (const [what, minute, expected, first] of moments)
  test(`fetched: ${what}`, async () => {
    const { fetch, store, into, wal } = await filled()
    const time = minute === undefined ? undefined : timeOf(minute)
    if (expected instanceof RegExp) return await assert.rejects(fetch(store, time), expected)
    assert.equal((await fetch(store, time)).name, expected)
    assert.ok(existsSync(join(into, expected, 'base.tar.gz')))
    const log = await logIn(into, expected)
    const numbers = Array.from({ length: 11 - first }, (_, index) => first + index)
    assert.deepEqual(
      [...log],
      numbers.map((number) => {
        const name = `${segment(number)}.gz`
        return [name, sha256(readFileSync(join(wal, CLUSTER, name)))]
      }),
    )
  })

const damages: readonly (readonly [
  what: string,
  change: (objects: Map<string, Uint8Array[]>) => void,
  outcome: RegExp | 'the same',
])[] = [
  [
    'a batch is gone',
    (objects) => objects.delete(batchesIn(objects).find((name) => name.includes(segment(6))) ?? ''),
    /can't be started: it waits for its WAL/,
  ],
  [
    'a batch was changed',
    (objects) => objects.set(batchesIn(objects).at(-1) ?? '', [Buffer.from('changed')]),
    /missing, or has other bytes/,
  ],
  [
    'a batch was overwritten in a store with versions',
    (objects) => objects.get(batchesIn(objects).at(-1) ?? '')?.push(Buffer.from('changed')),
    'the same',
  ],
]
for (const [what, change, outcome] of damages)
  test(`fetched after ${what}: ${outcome}`, async () => {
    const { fetch, store, objects } = await filled()
    change(objects)
    if (outcome !== 'the same') return await assert.rejects(fetch(store), outcome)
    await fetch(store)
  })

test('a base backup that another key has signed is refused', async () => {
  const { fetch, base, copy } = host()
  const { store } = memoryStore()
  base('base-20261127T040100Z', 1, 2, createNoteSigner(createSigningKey().privatePem))
  await copy(store)
  await assert.rejects(fetch(store), /is not signed by the key of the set/)
})

test('sets are looked at in turn', () => {
  const turns: readonly (readonly [string, string | undefined])[] = [
    ['', 'a'],
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'a'],
    ['bb', 'c'],
  ]
  for (const [last, next] of turns) assert.equal(nextInTurn(['c', 'a', 'b'], last), next)
  assert.equal(nextInTurn([], 'a'), undefined)
})
