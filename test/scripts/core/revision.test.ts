/** Revisions and the names of images that are run. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registryUrl, runnableImage } from '../../../scripts/artifacts/image-reference.ts'
import { revisionOf } from '../../../scripts/core/revision.ts'

test('revision: the same texts give the same, any other list another', () => {
  const lists = [[], [''], ['', ''], ['ab'], ['a', 'b'], ['b', 'a'], ['1:a'], ['ab', '']]
  assert.equal(new Set(lists.map(revisionOf)).size, lists.length)
  assert.equal(revisionOf(['a', 'b']), revisionOf(['a', 'b']))
  assert.match(revisionOf(['a']), /^[0-9a-f]{16}$/)
})

const digest = `sha256:${'c'.repeat(64)}`
const archive = { file: '/x', imageId: '', layers: [] }
const rows = [
  [`db:16-alpine@${digest}`, undefined, `db@${digest}`],
  [`db:16-alpine@${digest}`, archive, 'db:16-alpine'],
  [`host.example:5000/db:16@${digest}`, undefined, `host.example:5000/db@${digest}`],
  [`host.example:5000/db@${digest}`, undefined, `host.example:5000/db@${digest}`],
  ['db:16-alpine', undefined, 'db:16-alpine'],
  // Docker lists what is of its own hub under its short name, however it was asked for.
  [`docker.io/library/db:16@${digest}`, undefined, `db@${digest}`],
  [`index.docker.io/team/db@${digest}`, undefined, `team/db@${digest}`],
  [`library/db@${digest}`, undefined, `db@${digest}`],
  [`host.example/library/db@${digest}`, undefined, `host.example/library/db@${digest}`],
  [`library/team/db@${digest}`, undefined, `library/team/db@${digest}`],
] as const

for (const [reference, url] of [
  [`postgres@${digest}`, 'https://registry-1.docker.io/'],
  [`team/postgres:16@${digest}`, 'https://registry-1.docker.io/'],
  [`docker.io/library/postgres@${digest}`, 'https://registry-1.docker.io/'],
  [`host.example/db@${digest}`, 'https://host.example/'],
  [`localhost/db@${digest}`, 'https://localhost/'],
  [`host:5000/team/db:1@${digest}`, 'https://host:5000/'],
  [`[fd00::1]:5000/db@${digest}`, 'https://[fd00::1]:5000/'],
] as const) {
  test(`registryUrl: ${reference.slice(0, 30)}`, () => assert.equal(registryUrl(reference), url))
}

for (const [reference, from, name] of rows) {
  test(`runnableImage: ${name.slice(0, 40)}`, () => assert.equal(runnableImage(reference, from), name))
}
