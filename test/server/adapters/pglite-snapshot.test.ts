/** Images of a database in memory: what is loaded is what was kept, and a damaged or foreign image is not taken. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { openPglite } from '../../../server/adapters/pglite.ts'
import { keepSnapshot, readSnapshot, snapshotKey } from '../../../server/adapters/pglite-snapshot.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tappass-snapshot-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const image = (text: string): Uint8Array => Buffer.from(text)

describe('snapshot', () => {
  test('what was kept is read, in place of older ones', async () => {
    await keepSnapshot(folder, 'old', image('1'))
    await keepSnapshot(folder, 'new', image('2'))
    assert.deepEqual(await readSnapshot(folder, 'new'), image('2'))
    assert.equal(await readSnapshot(folder, 'old'), undefined)
    assert.equal(readdirSync(folder).length, 1)
  })

  test('a damaged one is not taken', async () => {
    await keepSnapshot(folder, 'key', image('whole'))
    truncateSync(join(folder, readdirSync(folder)[0] ?? ''), 2)
    assert.equal(await readSnapshot(folder, 'key'), undefined)
  })

  test('a folder that is none is no failure', async () => {
    writeFileSync(join(folder, 'file'), '')
    await keepSnapshot(join(folder, 'file'), 'key', image('x'))
    assert.equal(await readSnapshot(join(folder, 'file'), 'key'), undefined)
    assert.equal(await readSnapshot(join(folder, 'nowhere'), 'key'), undefined)
  })

  test('a key changes with every migration', async () => {
    const keys = await Promise.all([snapshotKey([]), snapshotKey(['a']), snapshotKey(['a', 'b']), snapshotKey(['ab'])])
    assert.equal(new Set(keys).size, 4)
  })

  test('a database begins as the image that was taken of another, and they part there', async () => {
    const first = await openPglite({ nowMs: () => 0 })
    await first.script('CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)')
    const taken = await first.takeImage()
    await first.script('INSERT INTO kept VALUES (2)')
    const second = await openPglite({ image: taken, nowMs: () => 0 })
    assert.deepEqual(await second.query('SELECT n FROM kept'), [{ n: 1 }])
    await Promise.all([first.close(), second.close()])
  })
})
