/** The tar of a release, against the program of that name. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  isOfRelease,
  type MeasuredFile,
  measureRelease,
  packFiles,
} from '../../../scripts/artifacts/release-archive.ts'
import { scratch } from '../known-host.ts'

const names = ['a', 'deep/er/b', `${'long/'.repeat(40)}name`, "it's ü", 'empty', 'large'] as const
const contentOf = (name: string) => (name === 'empty' ? '' : name.repeat(name === 'large' ? 20_000 : 300))

const lay = (folder: string) => {
  for (const name of names) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), contentOf(name))
  }
}

const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

const membersOf = (folder: string, all: readonly string[] = names): readonly MeasuredFile[] =>
  all.map((name) => ({
    name,
    path: join(folder, name),
    bytes: Buffer.byteLength(contentOf(name)),
    isExecutable: name === 'a',
    sha256: '',
  }))

test('tar: tar reads what was written, with its modes', async (context) => {
  const folder = scratch(context)
  lay(folder)
  const input = await collect(packFiles(membersOf(folder)))
  mkdirSync(join(folder, 'out'))
  execFileSync('tar', ['-xf', '-', '-C', join(folder, 'out'), '--no-same-owner'], { input })
  for (const name of names) {
    const path = join(folder, 'out', name)
    assert.equal(readFileSync(path, 'utf8'), contentOf(name))
    assert.equal(statSync(path).mode & 0o777, name === 'a' ? 0o755 : 0o644)
  }
})

test('tar: the same files give the same bytes, whatever their times', async (context) => {
  const folder = scratch(context)
  lay(folder)
  const first = await collect(packFiles(membersOf(folder)))
  for (const name of names) utimesSync(join(folder, name), 1, 1)
  assert.ok(first.equals(await collect(packFiles(membersOf(folder)))))
})

test('tar: two names of one file are both there', async (context) => {
  const folder = scratch(context)
  lay(folder)
  linkSync(join(folder, 'a'), join(folder, 'z'))
  const [a] = membersOf(folder) as [MeasuredFile]
  const input = await collect(packFiles([a, { ...a, name: 'z', path: join(folder, 'z') }]))
  mkdirSync(join(folder, 'out'))
  execFileSync('tar', ['-xf', '-', '-C', join(folder, 'out')], { input })
  assert.equal(readFileSync(join(folder, 'out/z'), 'utf8'), contentOf('a'))
})

const changes = [
  ['grew', (path: string) => appendFileSync(path, 'x')],
  ['shrank', (path: string) => writeFileSync(path, 'x')],
  ['vanished', (path: string) => rmSync(path)],
] as const

for (const [what, change] of changes) {
  for (const name of ['a', 'large']) {
    test(`tar: a file that ${what} meanwhile (${name}) is a failure, not a damaged archive`, async (context) => {
      const folder = scratch(context)
      lay(folder)
      change(join(folder, name))
      await assert.rejects(collect(packFiles(membersOf(folder))), {
        ...(what === 'vanished' ? {} : { name: 'Failure' }),
        message: what === 'vanished' ? /changed while|ENOENT/ : /changed while it was being sent/,
      })
    })
  }
}

describe('files of a release', () => {
  for (const [name, isKept] of [
    ['server/main.ts', true],
    ['scripts/README.md', true],
    ['node_modules/a/index.js', true],
    ['node_modules/a/package.json', true],
    ['node_modules/a/LICENSE.md', true],
    ['node_modules/@b/c/NOTICE.md', true],
    ['node_modules/a/lib/test/run.js', true],
    ['node_modules/a/data.wasm', true],
    ['node_modules/a/index.d.ts', false],
    ['node_modules/a/index.d.cts', false],
    ['node_modules/a/src/index.ts', false],
    ['node_modules/a/index.js.map', false],
    ['node_modules/a/README.md', false],
    ['node_modules/a/.github/workflows/ci.yml', false],
    ['node_modules/a/test/run.js', false],
    ['node_modules/@b/c/docs/page.html', false],
    ['node_modules/a/node_modules/d/tests/run.js', false],
  ] as const) {
    test(`${name}: ${isKept ? 'kept' : 'left out'}`, () => assert.equal(isOfRelease(name), isKept))
  }
})

test('release: the one that was unpacked on a host is the same when it is measured there', async (context) => {
  const folder = scratch(context)
  const packed = await measureRelease(join(import.meta.dirname, '../../..'))
  const input = await collect(packed.open())
  execFileSync('tar', ['-xzf', '-', '-C', folder, '--no-same-owner'], { input })
  const unpacked = await measureRelease(folder)
  assert.deepEqual([unpacked.version, unpacked.manifest], [packed.version, packed.manifest])
})
