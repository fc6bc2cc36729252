/** Repositories: the key and the source, which says who signs. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Failure } from '../../../scripts/core/failure.ts'
import { digestFact, pathFact } from '../../../scripts/facts/path.ts'
import { reachabilityFact } from '../../../scripts/facts/reachability.ts'
import { aptRepository, otherSourcesFact } from '../../../scripts/resources/apt-repository.ts'
import { factReaderOf, factRow, here, planLines, scratch, traits } from '../known-host.ts'

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

const others = (...paths: string[]) => factRow(otherSourcesFact(options.uri, sourcePath), paths)

const blank = [
  traits(),
  others(),
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
  assert.equal(changes[1]?.commands.find(({ stdin }) => stdin !== undefined)?.stdin, source)
})

test('apt-repository: up to date', async () => {
  const facts = [
    traits(),
    others(),
    factRow(pathFact(keyPath), file),
    factRow(digestFact(keyPath), sha256(key)),
    factRow(pathFact(sourcePath), file),
    factRow(digestFact(sourcePath), sha256(source)),
  ]
  assert.deepEqual(await planLines(aptRepository(options), facts), [])
})

test('apt-repository: one to which there is no way is refused before it is laid down', async () => {
  const facts = [...blank, factRow(reachabilityFact('packages.example'), 'no-ipv6')]
  await assert.rejects(planLines(aptRepository({ ...options, remedy: 'proxy.https' }), facts), { code: 5 })
})

test('apt-repository: another source of the same repository is refused, and named', async () => {
  const rows = [...blank.slice(0, 1), others('/etc/apt/sources.list.d/docker.list'), ...blank.slice(2)]
  await assert.rejects(aptRepository(options).plan(factReaderOf(rows)), (failure: Failure) => {
    assert.equal(failure.code, 5)
    assert.match(failure.text.why ?? '', /docker\.list/)
    assert.match(failure.text.next ?? '', /^rm \/etc\/apt\/sources\.list\.d\/docker\.list /)
    return true
  })
})

for (const [text, isSame] of [
  ['deb [signed-by=/x.gpg] https://packages.example/linux/debian trixie stable', true],
  ['deb http://packages.example/linux/ubuntu noble stable', true],
  ['Types: deb\nURIs: https://packages.example/linux/debian\nSuites: trixie\n', true],
  ['deb https://packages.example.org/linux/debian trixie main', false],
  ['deb https://mirror.example/debian trixie main', false],
] as const) {
  test(`apt-repository: ${text.split('\n')[0]} is ${isSame ? 'the same' : 'another'} repository`, async (context) => {
    const folder = scratch(context)
    writeFileSync(join(folder, 'other.list'), `${text}\n`)
    const fact = otherSourcesFact(options.uri, sourcePath)
    const argv = fact.query.argv.map((word) => word.replaceAll('/etc/apt/sources.list.d', folder)) as [
      string,
      ...string[],
    ]
    const found = fact.parse(await here({ ...fact.query, argv }))
    assert.deepEqual(
      found.filter((path) => path.startsWith(folder)),
      isSame ? [join(folder, 'other.list')] : [],
    )
  })
}
