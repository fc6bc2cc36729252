/** A bundle is opened only as it was signed, to its last byte. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, copyFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openBundle } from '../../../scripts/bundle/bundle-file.ts'
import { smallBundle } from './small-bundle.ts'

let small: Awaited<ReturnType<typeof smallBundle>>
before(async () => {
  small = await smallBundle()
})
after(() => small.close())

/** A copy of the bundle, changed. */
const changed = (name: string, change: (path: string) => void): string => {
  const path = join(small.folder, name)
  copyFileSync(small.path, path)
  change(path)
  return path
}

const flip = (path: string, position: number): void => {
  const bytes = readFileSync(path)
  bytes[position] = (bytes[position] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

const refusal = (path: string, key = small.publicKey) =>
  openBundle(path, key).then(
    () => assert.fail(`${path} was opened`),
    (error: { code: number; text: { what: string; why: string; next: string } }) => error,
  )

test('bundle: the one that was signed is opened, and each of its files is where it says', async () => {
  const { manifest, partOf } = await openBundle(small.path, small.publicKey)
  assert.deepEqual(manifest, small.manifest)
  const bytes = readFileSync(small.path)
  const contents = manifest.files.map((file) => {
    const { start, end } = partOf(file)
    return bytes.subarray(start, end + 1).toString()
  })
  assert.deepEqual(contents, ['a Node', 'x'.repeat(1500), ''])
})

test('bundle: a tar that tar reads; the same files and key give the same bytes, and nothing is left beside it', async () => {
  const { stdout } = spawnSync('tar', ['-tf', small.path], { encoding: 'utf8' })
  const names = ['manifest.json', 'manifest.sig', ...small.manifest.files.map(({ path }) => path)]
  assert.deepEqual(stdout.trim().split('\n'), names)
  assert.deepEqual(readFileSync(await small.write('again.tar')), readFileSync(small.path))
  assert.deepEqual(
    readdirSync(small.folder).filter((name) => name.endsWith('.part')),
    [],
  )
})

test('bundle: every byte counts: one that is changed anywhere is refused with 5', async () => {
  const { length } = readFileSync(small.path)
  // Bytes of each kind are in each 512; a prime step reaches other places in each.
  for (let position = 0; position < length; position += 97) {
    const path = changed('flipped.tar', (copy) => flip(copy, position))
    assert.equal((await refusal(path)).code, 5, `byte ${position}`)
  }
})

test('bundle: cut off anywhere it is refused with 5', async () => {
  const { length } = readFileSync(small.path)
  for (let bytes = 0; bytes < length; bytes += 211) {
    const path = changed('cut.tar', (copy) => truncateSync(copy, bytes))
    assert.equal((await refusal(path)).code, 5, `${bytes} bytes`)
  }
})

const rows: readonly (readonly [name: string, find: () => Promise<string> | string, what: RegExp, why: RegExp])[] = [
  ['nothing is there', () => '/nowhere/bundle.tar', /cannot be read/, /ENOENT/],
  ['a file of something else', () => small.keyFile, /is not a whole bundle/, /cut off|does not begin/],
  ['cut off in a file', () => changed('c.tar', (path) => truncateSync(path, 6000)), /is not a whole bundle/, /cut off/],
  [
    'something behind it',
    () => changed('m.tar', (path) => appendFileSync(path, 'more')),
    /not a whole/,
    /behind its last/,
  ],
  ['another format', () => small.write('f.tar', { format: 'tappass-bundle-9' as never }), /another release/, /format/],
  ['a path that leads out', () => small.write('p.tar', { files: [], platform: '../x' }), /another release/, /format/],
]
for (const [name, find, what, why] of rows) {
  test(`bundle: ${name}: what, why and what next`, async () => {
    const { code, text } = await refusal(await find())
    assert.equal(code, 5)
    assert.match(text.what, what)
    assert.match(text.why, why)
    assert.notEqual(text.next, '')
  })
}

test('bundle: of a key that is not the one: refused with 5, and nothing of it was looked at', async () => {
  const { code, text } = await refusal(small.path, small.strangerKey)
  assert.deepEqual([code, text.what], [5, `${small.path} is not signed by that key`])
})
