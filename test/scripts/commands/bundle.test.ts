/** `tappass bundle`, and the options of a run with one: what is missing or wrong is told before anything is done. */
import assert from 'node:assert/strict'
import { appendFileSync, copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { smallBundle } from '../bundle/small-bundle.ts'
import { typeCommand } from '../command-line.ts'

let small: Awaited<ReturnType<typeof smallBundle>>
before(async () => {
  small = await smallBundle()
})
after(() => small.close())

const type = async (words: readonly string[]) => {
  const typed = typeCommand(words, { root: small.folder })
  const code = await typed.code
  return { code, stdout: typed.stdout(), stderr: typed.stderr() }
}

const CREATE = ['bundle', 'create', '--platform', 'debian-13-amd64'] as const
const rows: readonly (readonly [words: readonly string[], code: number, said: RegExp])[] = [
  [['bundle', 'create'], 64, /needs "--platform": debian-12-amd64, /],
  [['bundle', 'create', '--platform', 'debian-9-amd64'], 64, /there is no platform "debian-9-amd64"/],
  [[...CREATE], 64, /"bundle create" needs "--out"/],
  [[...CREATE, '--out', 'b.tar'], 64, /"bundle create" needs "--key"/],
  [[...CREATE, '--out', 'b.tar', '--key', '/nowhere'], 5, /cannot read the private key/],
  [['bundle', 'verify', 'b.tar'], 64, /"bundle verify" needs "--public-key"/],
  [['bundle', 'verify', 'b.tar', '--public-key', '/nowhere'], 5, /cannot read the public key/],
  [['bootstrap', '--bundle', 'b.tar'], 64, /"--bundle" and "--bundle-key" go together/],
  [['plan', '--bundle-key', 'key.pub'], 64, /"--bundle" and "--bundle-key" go together/],
  [['plan', '--bundle', '/nowhere', '--bundle-key', 'KEY'], 5, /\/nowhere cannot be read/],
]
for (const [words, code, said] of rows) {
  test(`${words.join(' ')}: ${code}`, async () => {
    const found = await type(words.map((word) => (word === 'KEY' ? small.keyFile : word)))
    assert.equal(found.code, code, found.stderr)
    assert.match(found.stderr, said)
    assert.equal(existsSync(join(small.folder, 'b.tar')), false)
  })
}

test('bundle verify: shows what a whole one holds, and refuses one that has more at its end', async () => {
  const good = await type(['bundle', 'verify', small.path, '--public-key', small.keyFile])
  assert.equal(good.code, 0, good.stderr)
  for (const { path, sha256 } of small.manifest.files)
    assert.ok(good.stdout.includes(sha256) && good.stdout.includes(path))
  const longer = join(small.folder, 'longer.tar')
  copyFileSync(small.path, longer)
  appendFileSync(longer, '\0')
  assert.equal((await type(['bundle', 'verify', longer, '--public-key', small.keyFile])).code, 5)
  const json = await type(['bundle', 'verify', small.path, '--public-key', small.keyFile, '--json'])
  assert.deepEqual(JSON.parse(json.stdout), small.manifest)
})
