/** Loading the folder of steps: the real one, and folders that hold something else. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadSteps } from '../../../server/adapters/step-folder.ts'
import { FAMILIES, testEngine } from '../detection/engine-fixture.ts'

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-steps-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const step = (name: string, position: number, more = ''): string =>
  `export const step = { name: '${name}', position: ${position}, category: 'c', stages: ['request'], inspect: () => [], ${more} }`

const family = (name: string): string => JSON.stringify({ name, title: 'T', about: 'A.', action: 'note' })

test('the steps of this release are those that the issue names, in the order of their positions', async () => {
  const { steps } = await loadSteps([join(import.meta.dirname, '../../../server/steps')], testEngine(), FAMILIES)
  const names = steps.map(({ name }) => name)
  for (const name of 'validate_input rate_limit detect_pii detect_secrets detect_unicode classify_data detect_opaque detect_injection scan_output'.split(
    ' ',
  )) {
    assert.ok(names.includes(name), name)
  }
  assert.deepEqual(
    steps.map(({ position }) => position),
    steps.map(({ position }) => position).toSorted((one, other) => one - other),
  )
})

test('whatever lies in the folder is loaded, by position', async () => {
  const folder = folderOf({ 'a-late.ts': step('a_late', 20), 'b-early.ts': step('b_early', 10), 'notes.md': 'no step' })
  assert.deepEqual(
    (await loadSteps([folder], testEngine(), FAMILIES)).steps.map(({ name }) => name),
    ['b_early', 'a_late'],
  )
})

test('two folders are one set, and a file may bring a family', async () => {
  const one = folderOf({ 'a.ts': step('a', 20) })
  const other = folderOf({ 'b.ts': `${step('b', 10)}; export const family = ${family('novelty')}` })
  const loaded = await loadSteps([one, other], testEngine(), FAMILIES)
  assert.deepEqual(
    loaded.steps.map(({ name }) => name),
    ['b', 'a'],
  )
  assert.equal(loaded.registry.families.get('novelty')?.title, 'T')
  assert.equal(loaded.registry.families.get('pii')?.title, 'PII detected')
  await assert.rejects(
    loadSteps([one, folderOf({ 'a.ts': step('a', 30) })], testEngine(), FAMILIES),
    /name of another step/,
  )
})

const REFUSED: readonly (readonly [what: string, files: Readonly<Record<string, string>>, message: RegExp])[] = [
  ['a file without a step', { 'a.ts': 'export const other = 1' }, /a\.ts exports no step/],
  ["a name that is not the file's", { 'a.ts': step('b', 1) }, /a step of another name/],
  ['one position twice', { 'a.ts': step('a', 1), 'b.ts': step('b', 1) }, /position of another step/],
  ['a look at answers without a reach', { 'a.ts': step('a', 1, "stages: ['response']") }, /no matchCharsMax/],
  ['a family that is none', { 'a.ts': `${step('a', 1)}; export const family = { name: 'a' }` }, /not a family/],
  ['a family that is built in', { 'a.ts': `${step('a', 1)}; export const family = ${family('pii')}` }, /two families/],
  ['a family of a reserved name', { 'a.ts': `${step('a', 1)}; export const family = ${family('policy')}` }, /can't be/],
  ['a file that does not load', { 'a.ts': 'throw new Error("broken")' }, /broken/],
]

for (const [what, files, message] of REFUSED) {
  test(`refused: ${what}`, () => assert.rejects(loadSteps([folderOf(files)], testEngine(), FAMILIES), message))
}
