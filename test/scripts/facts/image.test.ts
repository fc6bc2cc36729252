/** What Docker prints of images, read: found by tag or by digest. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageFact } from '../../../scripts/facts/image.ts'

const digest = `sha256:${'c'.repeat(64)}`
const stdout = [
  { id: 'sha256:1', tags: ['db:16-alpine'], digests: null, layers: ['sha256:a'] },
  { id: 'sha256:2', tags: [], digests: [`registry.example:5000/cache@${digest}`], layers: null },
]
  .map((image) => JSON.stringify(image))
  .join('\n')
const answer = { code: 1, stdout: `${stdout}\n`, stderr: 'Error response from daemon: No such image: none:1\n' }

const rows = [
  ['db:16-alpine', { id: 'sha256:1', layers: ['sha256:a'] }],
  [`registry.example:5000/cache:7@${digest}`, { id: 'sha256:2', layers: [] }],
  ['none:1', undefined],
  [`db:16-alpine@${digest}`, undefined],
] as const

for (const [reference, expected] of rows) {
  test(`images: ${reference.slice(0, 50)}`, () => {
    const fact = imageFact(reference)
    const piece = fact.batchQuery
      ?.split(
        answer,
        rows.map(([each]) => each),
      )
      .get(reference)
    assert.deepEqual(fact.parse(piece ?? { code: 1, stdout: '', stderr: '' }), expected)
  })
}

test('images: no Docker, or one that does not run', () => {
  assert.equal(imageFact('db:1').parse({ code: 127, stdout: '', stderr: 'sh: docker: not found' }), undefined)
})
