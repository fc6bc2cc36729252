/** Repositories: the key and the source, which says who signs. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { digestFact, pathFact } from '../../../scripts/facts/path.ts'
import { aptRepository } from '../../../scripts/resources/apt-repository.ts'
import { factReaderOf, factRow, planLines, traits } from '../known-host.ts'

const key = readFileSync(join(import.meta.dirname, '../../../templates/docker/docker.asc'), 'utf8')
const options = {
  id: 'docker',
  uri: 'https://packages.example/linux/{distribution}',
  suite: '{codename}',
  components: ['stable'],
  key,
} as const
const [keyPath, sourcePath] = ['/etc/apt/keyrings/docker.asc', '/etc/apt/sources.list.d/docker.sources']
const absent = { kind: 'absent' } as const
const file = { kind: 'file', mode: '0644', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 9 } as const
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const source = `Types: deb
URIs: https://packages.example/linux/debian
Suites: trixie
Components: stable
Architectures: amd64
Signed-By: /etc/apt/keyrings/docker.asc
`

const blank = [
  traits(),
  factRow(pathFact(keyPath), absent),
  factRow(digestFact(keyPath), undefined),
  factRow(pathFact(sourcePath), absent),
  factRow(digestFact(sourcePath), undefined),
]

test('apt-repository: a blank host gets the key, then the source', async () => {
  assert.deepEqual(await planLines(aptRepository(options), blank), [
    `write ${keyPath}, because it is absent`,
    `write ${sourcePath}, because it is absent`,
  ])
})

test('apt-repository: the source is for this distribution and names the key', async () => {
  const changes = await aptRepository(options).plan(factReaderOf(blank))
  assert.equal(changes[1]?.commands[0].stdin, source)
})

test('apt-repository: up to date', async () => {
  const facts = [
    traits(),
    factRow(pathFact(keyPath), file),
    factRow(digestFact(keyPath), sha256(key)),
    factRow(pathFact(sourcePath), file),
    factRow(digestFact(sourcePath), sha256(source)),
  ]
  assert.deepEqual(await planLines(aptRepository(options), facts), [])
})
