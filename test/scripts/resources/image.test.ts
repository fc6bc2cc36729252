/** Container images: what Docker's store says, and what would be done. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { HOST_PATH } from '../../../contract/path.ts'
import { type ImageState, imageFact } from '../../../scripts/facts/image.ts'
import { recordMadeCommand } from '../../../scripts/facts/made-record.ts'
import { contentFact } from '../../../scripts/facts/path.ts'
import { reachabilityFact } from '../../../scripts/facts/reachability.ts'
import { image } from '../../../scripts/resources/image.ts'
import { argvOf, factReaderOf, factRow, planLines } from '../known-host.ts'

const setting = 'images.db'
const reference = `db:16-alpine@sha256:${'c'.repeat(64)}`
const pulled = `db@sha256:${'c'.repeat(64)}`
const archive = { file: '/images/db.tar', imageId: 'sha256:11', layers: ['sha256:a', 'sha256:b'] }

/** The digests that were accepted before. */
const lockRow = (digests?: Readonly<Record<string, string>>) =>
  factRow(contentFact(HOST_PATH.versions), digests && stringify({ release: '1', digests }))

const rows: readonly Readonly<{
  name: string
  isFromArchive: boolean
  state: ImageState
  changes: readonly string[]
}>[] = [
  {
    name: 'not there',
    isFromArchive: false,
    state: undefined,
    changes: [`pull ${reference}, because it is not in Docker’s image store`],
  },
  { name: 'pulled', isFromArchive: false, state: { id: 'sha256:11', layers: [] }, changes: [] },
  {
    name: 'not loaded',
    isFromArchive: true,
    state: undefined,
    changes: ['load db:16-alpine from /images/db.tar, because it is not in Docker’s image store'],
  },
  { name: 'loaded', isFromArchive: true, state: { id: 'sha256:11', layers: archive.layers }, changes: [] },
  {
    name: 'loaded into a store that names it by its manifest',
    isFromArchive: true,
    state: { id: 'sha256:99', layers: archive.layers },
    changes: [],
  },
  {
    name: 'the tag is on another image',
    isFromArchive: true,
    state: { id: 'sha256:22', layers: ['sha256:a'] },
    changes: ['load db:16-alpine from /images/db.tar, because db:16-alpine in Docker’s image store is another image'],
  },
]

for (const { name, isFromArchive, state, changes } of rows) {
  test(`image: ${name}`, async () => {
    const wanted = image({ setting, reference, ...(isFromArchive ? { archive } : {}) })
    const facts = [factRow(imageFact(isFromArchive ? 'db:16-alpine' : pulled), state), lockRow()]
    assert.deepEqual(await planLines(wanted, facts), changes)
  })
}

test('image: a registry to which there is no way is refused when the image is not there, and not asked about when it is', async () => {
  const registry = { url: 'https://registry.example:5000/', remedy: 'images.db.archive' }
  const way = factRow(reachabilityFact('registry.example'), 'no-ipv6')
  const missing = factRow(imageFact(pulled), undefined)
  await assert.rejects(planLines(image({ setting, reference, registry }), [missing, way, lockRow()]), { code: 5 })
  const present = factRow(imageFact(pulled), { id: 'sha256:11', layers: [] })
  assert.deepEqual(await planLines(image({ setting, reference, registry }), [present, lockRow()]), [])
})

test('image: pulled by digest, never by a tag alone', async () => {
  const changes = await image({ setting, reference }).plan(
    factReaderOf([factRow(imageFact(pulled), undefined), lockRow()]),
  )
  assert.deepEqual(argvOf(changes), [recordMadeCommand('image', pulled).argv, ['docker', 'pull', '--quiet', pulled]])
})

/** What was accepted under a name before, where the image comes from, and whether it may be used. */
const locks: readonly (readonly [
  digests: Readonly<Record<string, string>>,
  isFromArchive: boolean,
  isAccepted: boolean,
])[] = [
  [{ 'db:16-alpine': `sha256:${'c'.repeat(64)}` }, false, true],
  [{ 'db:16-alpine': `sha256:${'d'.repeat(64)}` }, false, false],
  [{ 'db:15-alpine': `sha256:${'d'.repeat(64)}` }, false, true],
  // The id of an image in a file is no digest of a registry.
  [{ 'db:16-alpine': `sha256:${'c'.repeat(64)}` }, true, true],
  [{ 'db:16-alpine (from a file)': 'sha256:11' }, true, true],
  [{ 'db:16-alpine (from a file)': 'sha256:12' }, true, false],
]
for (const [digests, isFromArchive, isAccepted] of locks) {
  test(`image: ${isFromArchive ? 'a file' : 'pulled'}, accepted before: ${JSON.stringify(digests)}`, async () => {
    const name = isFromArchive ? 'db:16-alpine' : pulled
    const facts = [factRow(imageFact(name), undefined), lockRow(digests)]
    const planned = planLines(image({ setting, reference, ...(isFromArchive ? { archive } : {}) }), facts)
    if (isAccepted) assert.equal((await planned).length, 1)
    else await assert.rejects(planned, { code: 5 })
  })
}
