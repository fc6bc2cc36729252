/** The reader of tar archives, against the system's tar and against damage. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readTar } from '../../../../server/adapters/pglite/tar.ts'

const folder = mkdtempSync(join(tmpdir(), 'tappass-tar-'))
after(() => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(folder, 'a/b'), { recursive: true })
writeFileSync(join(folder, 'a/empty'), '')
writeFileSync(join(folder, 'a/b/block'), 'x'.repeat(512))
writeFileSync(join(folder, 'a/b/more'), 'y'.repeat(513))
const pack = (...names: string[]) =>
  new Uint8Array(execFileSync('tar', ['--format=ustar', '-c', '-C', folder, ...names]))

test('gives files and folders as they are', () => {
  const entries = readTar(pack('--sort=name', 'a')).map(({ path, content }) => [
    path.replace(/\/$/, ''),
    content === undefined ? undefined : new TextDecoder().decode(content),
  ])
  assert.deepEqual(entries, [
    ['a', undefined],
    ['a/b', undefined],
    ['a/b/block', 'x'.repeat(512)],
    ['a/b/more', 'y'.repeat(513)],
    ['a/empty', ''],
  ])
})

test('an empty archive has no entries', () => assert.deepEqual(readTar(new Uint8Array(1024)), []))

test('throws on one that is cut short', () => {
  assert.throws(() => readTar(pack('a/b/more').subarray(0, 700)), /tar: a\/b\/more is cut short/)
})

test('throws on what is neither file nor folder', () => {
  symlinkSync('/etc', join(folder, 'link'))
  assert.throws(() => readTar(pack('link')), /tar: link is of kind "2"/)
})

test('throws on a path that leads out', () => {
  const archive = pack('--transform=s,a/b/more,a/../../more,', '-P', 'a/b/more')
  assert.throws(() => readTar(archive), /leads out of the archive/)
})
