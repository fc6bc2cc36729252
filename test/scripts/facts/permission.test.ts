/** Guarded folders on a real disk: the first path that is not guarded is named. */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { unsafePathFact } from '../../../scripts/facts/permission.ts'
import { factsHere, scratch } from '../known-host.ts'

const rows: readonly Readonly<{ name: string; harm?: (folder: string) => void; names?: string }>[] = [
  { name: 'as it should be' },
  { name: 'a link, whose mode means nothing', harm: (folder) => symlinkSync('p', join(folder, 'bin', 'q')) },
  {
    name: 'a file that its group may write',
    harm: (folder) => chmodSync(join(folder, 'bin/p'), 0o775),
    names: 'bin/p',
  },
  { name: 'a folder that all may write', harm: (folder) => chmodSync(join(folder, 'bin'), 0o757), names: 'bin' },
  {
    name: 'a file that others may not read',
    harm: (folder) => chmodSync(join(folder, 'bin/p'), 0o711),
    names: 'bin/p',
  },
  { name: 'a folder that others may not enter', harm: (folder) => chmodSync(join(folder, 'bin'), 0o744), names: 'bin' },
]

for (const { name, harm, names } of rows) {
  test(`guard: ${name}`, async (context) => {
    const folder = join(scratch(context), "it's here")
    mkdirSync(join(folder, 'bin'), { recursive: true })
    writeFileSync(join(folder, 'bin/p'), '')
    for (const [path, mode] of [
      ['', 0o755],
      ['bin', 0o755],
      ['bin/p', 0o755],
    ] as const)
      chmodSync(join(folder, path), mode)
    harm?.(folder)
    const expected = names === undefined ? undefined : join(folder, names)
    assert.equal(await factsHere()(unsafePathFact(folder)), expected)
  })
}

test('guard: nothing there is nothing unguarded', async (context) => {
  assert.equal(await factsHere()(unsafePathFact(join(scratch(context), 'none'))), undefined)
})

test('guard: what belongs to another than who asks', async (context) => {
  // Only root can give a file away; anybody else has root's to look at.
  let path = '/etc/passwd'
  if (process.getuid?.() === 0) {
    path = join(scratch(context), 'p')
    writeFileSync(path, '')
    chownSync(path, 65_534, 65_534)
  }
  assert.equal(await factsHere()(unsafePathFact(path)), path)
})
