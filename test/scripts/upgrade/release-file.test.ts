/** A release as a file: what was packed comes out again, and one changed byte, another digest or another content is refused. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { measureRelease } from '../../../scripts/artifacts/release-archive.ts'
import { Failure } from '../../../scripts/core/failure.ts'
import { unpackReleaseFile, writeReleaseFile } from '../../../scripts/upgrade/release-file.ts'
import { scratch } from '../known-host.ts'

const packed = async (folder: string) => {
  const root = join(folder, 'clone')
  mkdirSync(join(root, 'server'), { recursive: true })
  writeFileSync(join(root, 'package.json'), '{"version":"1.2.3"}')
  writeFileSync(join(root, 'package-lock.json'), '{"packages":{"":{}}}')
  writeFileSync(join(root, 'server/main.ts'), 'export {}\n')
  const pack = await measureRelease(root)
  const file = join(folder, 'release.tappass')
  return { pack, file, sha256: await writeReleaseFile(pack, file, folder) }
}

test('what was packed comes out again, and packing it again gives the same bytes', async (context) => {
  const folder = scratch(context)
  const { pack, file, sha256 } = await packed(folder)
  const root = await unpackReleaseFile(file, join(folder, 'out'), sha256)
  assert.equal((await measureRelease(root)).version, pack.version)
  assert.equal(await writeReleaseFile(pack, join(folder, 'again'), folder), sha256)
})

const wrongs = [
  { name: 'a changed byte', harm: (bytes: Buffer) => bytes.with(bytes.length >> 1, 7), why: /.+/ },
  { name: 'a cut', harm: (bytes: Buffer) => bytes.subarray(0, 900), why: /.+/ },
  { name: 'another digest', sha256: '0'.repeat(64), why: /its SHA-256 is [0-9a-f]{64}, not 0000/ },
  { name: 'no archive', harm: () => Buffer.from('hello'), why: /.+/ },
] as const
for (const { name, why, ...row } of wrongs)
  test(`${name} is refused: exit 5`, async (context) => {
    const folder = scratch(context)
    const { file } = await packed(folder)
    if ('harm' in row) writeFileSync(file, row.harm(readFileSync(file)))
    const unpacking = unpackReleaseFile(file, join(folder, 'out'), 'sha256' in row ? row.sha256 : undefined)
    const failure = await unpacking.catch((error: unknown) => error)
    assert.ok(failure instanceof Failure)
    assert.equal(failure.code, 5)
    assert.match(failure.text.why ?? '', why)
  })
