/** Images that nothing needs any more: rows of what was brought and what Docker says, and a record on a real disk. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { GetFact } from '../../../scripts/core/host.ts'
import { createFactReader } from '../../../scripts/facts/fact-reader.ts'
import { surplusImage } from '../../../scripts/resources/surplus-image.ts'
import { applyHere, factsHere, here, nonce, scratch } from '../known-host.ts'

const ownership = { owner: process.getuid?.() ?? 0, group: process.getgid?.() ?? 0, mode: '0644' }
const images = { postgres: 'postgres@3', redis: 'redis@2' }

type Row = Readonly<{
  name: string
  record: readonly string[]
  docker?: readonly string[]
  removed: readonly string[]
  kept: readonly string[]
}>
const current = ['postgres postgres@3', 'redis redis@2']
const rows: readonly Row[] = [
  { name: 'a first run', record: [], removed: [], kept: current },
  { name: 'nothing new', record: current, removed: [], kept: current },
  {
    name: 'the previous one is kept',
    record: ['postgres postgres@2', ...current],
    removed: [],
    kept: ['postgres postgres@2', ...current],
  },
  {
    name: 'what is older goes',
    record: ['postgres postgres@1', 'postgres postgres@2', 'redis redis@1'],
    docker: ['unused postgres@1'],
    removed: ['postgres@1'],
    kept: ['postgres postgres@2', 'postgres postgres@3', 'redis redis@1', 'redis redis@2'],
  },
  {
    name: 'what a container still needs stays',
    record: ['postgres postgres@1', 'postgres postgres@2'],
    docker: [],
    removed: [],
    kept: ['postgres postgres@1', 'postgres postgres@2', ...current],
  },
  {
    name: 'what somebody has removed is forgotten',
    record: ['postgres postgres@1', 'postgres postgres@2'],
    docker: ['gone postgres@1'],
    removed: [],
    kept: ['postgres postgres@2', ...current],
  },
  {
    name: 'back to an older one: it is the newest again',
    record: ['postgres postgres@3', 'postgres postgres@4', 'redis redis@2'],
    removed: [],
    kept: ['postgres postgres@4', ...current],
  },
  {
    name: 'of a service that this release does not know nothing is removed',
    record: ['opa opa@1', 'opa opa@2', 'opa opa@3', ...current],
    removed: [],
    kept: ['opa opa@1', 'opa opa@2', 'opa opa@3', ...current],
  },
]

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

for (const { name, record, docker = [], removed, kept } of rows) {
  test(`surplus image: ${name}`, async (context) => {
    const path = join(scratch(context), 'images')
    writeFileSync(path, record.map((line) => `${line}\n`).join(''))
    const ask = factsHere()
    const getFact: GetFact = (fact) =>
      fact.query.argv[2]?.includes('docker image inspect')
        ? Promise.resolve(fact.parse({ code: 0, stdout: docker.join('\n'), stderr: '' }))
        : ask(fact)
    const changes = await surplusImage({ ...ownership, record: path, images }).plan(getFact)
    const argv = changes.flatMap(({ commands }) => commands.map((command) => command.argv))
    assert.deepEqual(
      argv.filter(([program]) => program === 'docker').map((words) => words.at(-1)),
      removed,
    )
    const written = changes
      .flatMap(({ commands }) => commands.map(({ stdin }) => stdin))
      .find((text) => typeof text === 'string')
    assert.deepEqual(linesOf(typeof written === 'string' ? written : readFileSync(path, 'utf8')), kept)
  })
}

test('surplus image: an engine that does not answer is no reason to forget or remove one', async (context) => {
  const record = join(scratch(context), 'images')
  const lines = ['postgres postgres@1', 'postgres postgres@2', ...current]
  writeFileSync(record, lines.join('\n'))
  await applyHere(surplusImage({ ...ownership, record, images }))
  assert.deepEqual(linesOf(readFileSync(record, 'utf8')), lines)
})

test('surplus image: where nothing is old it asks once', async (context) => {
  const record = join(scratch(context), 'images')
  const wanted = surplusImage({ ...ownership, record, images })
  await applyHere(wanted)
  let roundTrips = 0
  const getFact = createFactReader((command) => {
    roundTrips += 1
    return here(command)
  }, nonce)
  assert.deepEqual([await wanted.plan(getFact), roundTrips], [[], 1])
})

test('surplus image: written down, and then there is nothing to do', async (context) => {
  const record = join(scratch(context), 'images')
  const [change] = await applyHere(surplusImage({ ...ownership, record, images }))
  assert.equal(change?.reason, 'it is absent')
  assert.deepEqual(linesOf(readFileSync(record, 'utf8')), current)
})
