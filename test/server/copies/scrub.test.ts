/** Copies are looked at again, each week one, and what a store has lost silently is told until it is whole again or gone. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type CopyRecord, judgeCopies } from '../../../contract/backup-store.ts'
import { recoveryPair } from '../../../contract/recovery-key.ts'
import { runCopy } from '../../../server/copies/copy-run.ts'
import { StoreFailure } from '../../../server/copies/store.ts'
import { memoryStore } from './memory-store.ts'

const { recipient } = recoveryPair(generateKeyPairSync('x25519').privateKey)
const top = mkdtempSync(join(tmpdir(), 'tappass-look-'))
after(() => rmSync(top, { recursive: true, force: true }))

const SETS = ['tappass-20261125T031700Z', 'tappass-20261126T031700Z', 'tappass-20261127T031700Z'] as const

let folders = 0
/** A store that has all of the sets, and a week after week in which `look` runs the copy; it returns what was looked at. */
const copied = async () => {
  const folder = join(top, String(++folders))
  const [sets, state] = [join(folder, 'sets'), join(folder, 'state')]
  mkdirSync(state, { recursive: true })
  for (const name of SETS) {
    mkdirSync(join(sets, name), { recursive: true })
    for (const file of ['database.dump', 'roles.sql']) writeFileSync(join(sets, name, file), randomBytes(2500))
    for (const file of ['manifest.json', 'verified.json']) writeFileSync(join(sets, name, file), '{}')
  }
  const memory = memoryStore()
  let ms = Date.parse('2026-11-27T04:00:00Z')
  let isAway = false
  const store: typeof memory.store = {
    ...memory.store,
    read: (name) => (isAway ? Promise.reject(new StoreFailure('away', 'it is away')) : memory.store.read(name)),
  }
  const work = { sets, state, recipient, label: 'the store', store, now: () => new Date(ms), partBytes: 1000 }
  const run = async (days: number): Promise<readonly string[]> => {
    ms += days * 86_400_000
    const lines: string[] = []
    await runCopy(work, (line) => lines.push(line))
    return lines.flatMap((line) => /^looked at (\S+)/.exec(line)?.[1] ?? [])
  }
  assert.deepEqual(await run(0), [])
  return {
    ...{ sets, run, objects: memory.objects },
    setAway: (value: boolean) => {
      isAway = value
    },
    judged: () => judgeCopies(JSON.parse(readFileSync(join(state, 'last.json'), 'utf8')) as CopyRecord, ms),
    partOf: (set: string) =>
      [...memory.objects.keys()].find((name) => name.startsWith(`${set}.database.dump.000002`)) ?? '',
  }
}

test('each week one, in turn, and the first one again after the last; none in between', async () => {
  const { run, judged } = await copied()
  const days = [6, 1, 1, 6, 7, 7]
  const looked: string[] = []
  for (const day of days) looked.push(...(await run(day)))
  assert.deepEqual(looked, [SETS[0], SETS[1], SETS[2], SETS[0]])
  assert.equal(judged().level, 'ok')
})

const [first, second] = SETS

const damages: readonly (readonly [
  what: string,
  change: (objects: Map<string, Uint8Array[]>, part: string) => void,
  says: RegExp,
])[] = [
  [
    'a part with other bytes',
    (objects, part) => objects.set(part, [Buffer.from('rot')]),
    /000002.* has other bytes than/,
  ],
  ['a part that is gone', (objects, part) => objects.delete(part), /000002.* is missing/],
  [
    'an index that is gone',
    (objects) => objects.delete([...objects.keys()].find((name) => name.startsWith(`${first}.index`)) ?? ''),
    /index.* is missing/,
  ],
]
for (const [what, change, says] of damages)
  test(`${what} is told, and looked at again until it is whole`, async () => {
    const { run, judged, objects, partOf } = await copied()
    const before = new Map(objects)
    change(objects, partOf(first))
    assert.deepEqual(await run(7), [first])
    assert.equal(judged().level, 'failed')
    assert.match(judged().state, /^a copy is rotten: tappass-20261125T031700Z: /)
    assert.match(judged().state, says)
    assert.deepEqual(await run(1), [])
    assert.equal(judged().level, 'failed')
    assert.deepEqual(await run(7), [second, first])
    assert.equal(judged().level, 'failed')
    for (const [name, versions] of before) objects.set(name, versions)
    assert.deepEqual(await run(7), [SETS[2], first])
    assert.equal(judged().level, 'ok')
  })

test('a rotten set that the store lets go is no longer told; one that is no longer on the host is looked at, too', async () => {
  const { run, judged, objects, partOf, sets } = await copied()
  rmSync(join(sets, first), { recursive: true })
  objects.set(partOf(first), [Buffer.from('rot')])
  assert.deepEqual(await run(7), [first])
  assert.equal(judged().level, 'failed')
  for (const name of [...objects.keys()]) if (name.startsWith(first)) objects.delete(name)
  assert.deepEqual(await run(7), [second])
  assert.equal(judged().level, 'ok')
})

test('a look that was cut is made anew, at the same set', async () => {
  const { run, setAway } = await copied()
  setAway(true)
  await assert.rejects(run(7), /it is away/)
  setAway(false)
  assert.deepEqual(await run(0), [first])
  assert.deepEqual(await run(1), [])
  assert.deepEqual(await run(6), [second])
})
