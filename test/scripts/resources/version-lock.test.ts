/** `versions.lock`: what was first accepted stays, what is new is added, and a file that says nothing readable is not passed over. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { parse } from 'yaml'
import { HOST_PATH } from '../../../contract/path.ts'
import type { Resource } from '../../../scripts/core/resource.ts'
import { contentFact, digestFact, pathFact } from '../../../scripts/facts/path.ts'
import { versionLock } from '../../../scripts/resources/version-lock.ts'
import { factReaderOf, factRow } from '../known-host.ts'

const accepting = (name: string, digest: string): Resource => ({
  id: `archive:${name}`,
  plan: async () => [],
  accepts: async () => ({ name, digest }),
})
const lock = versionLock({
  notice: '# notice\n',
  versions: { release: '2' },
  resources: [accepting('b/2', 'sha256:22'), { id: 'file:x', plan: async () => [] }, accepting('a/1', 'sha256:11')],
})
const path = HOST_PATH.versions
const state = { kind: 'file', mode: '0644', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 1 } as const

const factsOf = (text: string | undefined) =>
  factReaderOf([
    factRow(pathFact(path), text === undefined ? { kind: 'absent' } : state),
    factRow(digestFact(path), text === undefined ? undefined : createHash('sha256').update(text).digest('hex')),
    factRow(contentFact(path), text),
  ])

const rows: readonly (readonly [
  name: string,
  before: string | undefined,
  digests: Readonly<Record<string, string>>,
])[] = [
  ['no file yet', undefined, { 'a/1': 'sha256:11', 'b/2': 'sha256:22' }],
  ['a file of before digests', 'release: 1\n', { 'a/1': 'sha256:11', 'b/2': 'sha256:22' }],
  [
    'an older version',
    'release: 1\ndigests:\n  b/1: sha256:21\n  b/2: sha256:22\n',
    { 'a/1': 'sha256:11', 'b/1': 'sha256:21', 'b/2': 'sha256:22' },
  ],
]

for (const [name, before, digests] of rows) {
  test(`versions.lock: ${name}`, async () => {
    const [file] = (await lock.files?.(factsOf(before))) ?? []
    assert.deepEqual(parse(file?.content ?? ''), { release: '2', digests })
    assert.equal((await lock.plan(factsOf(before))).length, 1)
    assert.deepEqual(await lock.plan(factsOf(file?.content)), [], 'a second run changes nothing')
  })
}

for (const damaged of ['digests: [', 'digests: [a]', 'digests: {a: {}}', 'digests: text'])
  test(`versions.lock: ${damaged}`, async () => {
    await assert.rejects(lock.plan(factsOf(damaged)), { code: 5, message: `${path} cannot be read` })
  })
