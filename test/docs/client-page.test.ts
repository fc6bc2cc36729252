/** The page of clients has the versions that tests run, and the classes that tests find raised. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CLIENTS, type Classes, type Kind } from '../clients/client-list.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const page = read('docs/reference/clients.md')
const KINDS: readonly Kind[] = ['refused', 'cut', 'key', 'large', 'limit', 'unavailable', 'server']

/** The version that is pinned, in the file of Python's packages or in the lock of npm's. */
function versionOf(name: string, pins: string | undefined): string | undefined {
  if (pins !== undefined) return new RegExp(`^${name}==(\\S+)`, 'm').exec(read(`test/clients/python/${pins}.txt`))?.[1]
  return JSON.parse(read('package-lock.json')).packages[`node_modules/${name}`].version
}

for (const [client, { package: name, pins, classes }] of Object.entries(CLIENTS)) {
  test(`${client}: version`, () => {
    const rows = page.split('\n').filter((line) => line.startsWith(`| \`${name}\``))
    assert.ok(
      rows.some((row) => row.split(' | ')[1] === versionOf(name, pins)),
      `${name} ${versionOf(name, pins)}`,
    )
  })
  test(`${client}: classes`, () => {
    const cells = KINDS.map((kind) => (classes as Classes)[kind]).map((one) => (one === undefined ? '–' : `\`${one}\``))
    const row = `| ${client} | ${cells.join(' | ')} |`
    assert.ok(page.includes(`${row}\n`), row)
  })
}

test('pins in the sources of the locked lists are those of the lists', () => {
  for (const list of ['clients', 'llama-index']) {
    const stated = read(`test/clients/python/${list}.in`).matchAll(/^([\w-]+)(?:\[\w+\])?==(\S+)$/gm)
    for (const [, name = '', version] of stated) assert.equal(versionOf(name, list), version, name)
  }
})
