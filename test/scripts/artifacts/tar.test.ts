/** tar, read and written, against the program of that name. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import {
  createFileSource,
  createStreamSource,
  readTar,
  type TarMember,
  writeTar,
} from '../../../scripts/artifacts/tar.ts'
import { scratch } from '../known-host.ts'

const names = ['a', 'deep/er/b', `${'long/'.repeat(40)}name`, "it's ü", 'empty'] as const
const contentOf = (name: string) => (name === 'empty' ? '' : name.repeat(300))

const lay = (folder: string) => {
  for (const name of names) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), contentOf(name))
  }
}

for (const format of ['gnu', 'pax', 'posix'] as const) {
  test(`tar: reads what tar wrote (${format}), from a stream and from a file`, async (context) => {
    const folder = scratch(context)
    lay(folder)
    const path = join(folder, 'all.tar')
    execFileSync('tar', [`--format=${format}`, '-cf', path, '-C', folder, ...names])
    await using handle = await open(path)
    const sliced = Readable.from(
      (async function* () {
        const bytes = readFileSync(path)
        for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700)
      })(),
    )
    for (const reader of [createFileSource(handle), createStreamSource(sliced)]) {
      const members = await readTar(reader, (name) => name !== 'a')
      assert.deepEqual([...members.keys()].toSorted(), names.filter((name) => name !== 'a').toSorted())
      for (const [name, bytes] of members) assert.equal(bytes.toString(), contentOf(name))
    }
  })
}

const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

const membersOf = (folder: string): readonly TarMember[] =>
  names.map((name) => ({
    name,
    path: join(folder, name),
    bytes: Buffer.byteLength(contentOf(name)),
    isExecutable: name === 'a',
  }))

test('tar: tar reads what was written', async (context) => {
  const folder = scratch(context)
  lay(folder)
  const input = await collect(writeTar(membersOf(folder)))
  mkdirSync(join(folder, 'out'))
  execFileSync('tar', ['-xf', '-', '-C', join(folder, 'out')], { input })
  for (const name of names) assert.equal(readFileSync(join(folder, 'out', name), 'utf8'), contentOf(name))
})

test('tar: a file that grew meanwhile is a failure, not a damaged archive', async (context) => {
  const folder = scratch(context)
  lay(folder)
  appendFileSync(join(folder, 'a'), 'x')
  await assert.rejects(collect(writeTar(membersOf(folder))), {
    name: 'Failure',
    message: /changed while it was being sent/,
  })
})
