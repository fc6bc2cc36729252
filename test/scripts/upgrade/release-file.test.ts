/** A release as a file: what was packed comes out again, and one changed byte, another digest or another content is refused. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { measureRelease } from '../../../scripts/artifacts/release-archive.ts'
import { Failure } from '../../../scripts/core/failure.ts'
import { unpackReleaseFile, writeReleaseFile } from '../../../scripts/upgrade/release-file.ts'
import { scratch } from '../known-host.ts'

const packed = async (folder: string, key?: KeyObject) => {
  const root = join(folder, 'clone')
  mkdirSync(join(root, 'server'), { recursive: true })
  writeFileSync(join(root, 'package.json'), '{"version":"1.2.3"}')
  writeFileSync(join(root, 'package-lock.json'), '{"packages":{"":{}}}')
  writeFileSync(join(root, 'server/main.ts'), 'export {}\n')
  const pack = await measureRelease(root)
  const file = join(folder, 'release.tappass')
  return { pack, file, sha256: await writeReleaseFile(pack, file, folder, key) }
}

test('what was packed comes out again, and packing it again gives the same bytes', async (context) => {
  const folder = scratch(context)
  const { pack, file, sha256 } = await packed(folder)
  const root = await unpackReleaseFile(file, join(folder, 'out'), { sha256 })
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
    const unpacking = unpackReleaseFile(file, join(folder, 'out'), 'sha256' in row ? { sha256: row.sha256 } : {})
    const failure = await unpacking.catch((error: unknown) => error)
    assert.ok(failure instanceof Failure)
    assert.equal(failure.code, 5)
    assert.match(failure.text.why ?? '', why)
  })

const [own, other] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
const pem = ({ publicKey }: Readonly<{ publicKey: KeyObject }>) =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString()

test('a signed release comes out with its key and without, and is the same when it is packed again', async (context) => {
  const folder = scratch(context)
  const { pack, file, sha256 } = await packed(folder, own.privateKey)
  for (const demand of [{ publicKey: pem(own) }, {}])
    assert.ok(await unpackReleaseFile(file, join(folder, `out${Object.keys(demand).length}`), demand))
  assert.equal(await writeReleaseFile(pack, join(folder, 'again'), folder, own.privateKey), sha256)
})

/** What an attacker can do who has no key: another release in the signed file, with a head that fits it. */
const exchangeRelease = async (folder: string, file: string): Promise<void> => {
  const unpacked = join(folder, 'signed')
  execFileSync('tar', ['-xf', file, `--one-top-level=${unpacked}`])
  const [, foreign] = [mkdirSync(join(folder, 'foreign')), await packed(join(folder, 'foreign'), other.privateKey)]
  const parts = join(folder, 'parts')
  execFileSync('tar', ['-xf', foreign.file, `--one-top-level=${parts}`])
  cpSync(join(unpacked, 'release.json.sig'), join(parts, 'release.json.sig'))
  writeFileSync(join(parts, 'release.json'), readFileSync(join(parts, 'release.json'), 'utf8').replace('"}', '" }'))
  execFileSync('tar', ['-cf', file, '-C', parts, 'release.json', 'release.json.sig', 'release.tar.gz'])
}

const unsigned = [
  { name: 'a release without a signature', key: undefined, what: /is not signed$/ },
  { name: 'a release that another key has signed', key: other.privateKey, what: /not signed by that key/ },
  {
    name: 'a release under the signature of another one',
    key: own.privateKey,
    harm: exchangeRelease,
    what: /not signed by that key/,
  },
]
for (const { name, key, harm, what } of unsigned)
  test(`${name} is refused where a key is demanded: exit 5`, async (context) => {
    const folder = scratch(context)
    const { file } = await packed(folder, key)
    await harm?.(folder, file)
    const unpacking = unpackReleaseFile(file, join(folder, 'out'), { publicKey: pem(own) })
    const failure = await unpacking.catch((error: unknown) => error)
    assert.ok(failure instanceof Failure)
    assert.equal(failure.code, 5)
    assert.match(failure.text.what, what)
  })
