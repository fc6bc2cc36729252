/** What was measured of files is remembered, and is measured again after anything was done to one of them. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { measurementStore } from '../../../scripts/artifacts/measurement-store.ts'

let root: string
let names = 0
/** When all files here are old enough to be remembered. */
const later = () => Date.now() + 60_000
const young = (): string => join(root, `file-${names++}`)
const measured = (): string => join(root, '.tappass', 'measured')

before(() => {
  root = mkdtempSync(join(tmpdir(), 'tappass-measured-'))
  mkdirSync(join(root, '.tappass'))
})
after(() => rmSync(root, { recursive: true }))

/** What an edit of a program may leave as it was: length and time. */
function rewrite(file: string): void {
  const { atime, mtime } = statSync(file)
  writeFileSync(file, 'other')
  utimesSync(file, atime, mtime)
}

const changes: Readonly<Record<string, (file: string) => void>> = {
  'is written to, with its length and time as before': rewrite,
  grows: (file) => appendFileSync(file, '!'),
  'is replaced by another': (file) => {
    writeFileSync(`${file}.new`, 'text!')
    renameSync(`${file}.new`, file)
  },
  'becomes executable': (file) => chmodSync(file, 0o755),
  'is written to by its other name': (file) => {
    linkSync(file, `${file}.other`)
    rewrite(`${file}.other`)
  },
}

/** Files, one for each change and one for the rest. */
const old = new Map<string, string>()
before(() => {
  for (const name of [...Object.keys(changes), 'none', 'damaged', 'another']) {
    old.set(name, young())
    writeFileSync(old.get(name) as string, 'text.')
  }
})

/** Measures a file twice, with something done in between; returns how often it was really measured. */
async function measureTwice(
  file: string,
  between: () => void,
  others: readonly string[] = [],
  nowMs = later,
): Promise<number> {
  let times = 0
  const measure = () => ({ value: ++times })
  for (const paths of [[file], [file, ...others]]) {
    const found = await measurementStore(root, nowMs)(`file ${file}`, paths, measure)
    assert.ok(found.value === times)
    if (times === 1 && paths.length === 1) between()
  }
  return times
}

for (const [name, change] of Object.entries(changes)) {
  test(`a file that ${name} is measured again`, async () => {
    const file = old.get(name) as string
    assert.equal(await measureTwice(file, () => change(file)), 2)
  })
}

test('a file that nothing was done to is not', async () => {
  assert.equal(await measureTwice(old.get('none') as string, () => undefined), 1)
})

test('one more file is another measurement', async () => {
  assert.equal(await measureTwice(old.get('another') as string, () => undefined, [old.get('none') as string]), 2)
})

test('a damaged store is not believed', async () => {
  const damage = () => {
    for (const name of readdirSync(measured())) writeFileSync(join(measured(), name), '{"state":')
  }
  assert.equal(await measureTwice(old.get('damaged') as string, damage), 2)
})

test('a file written just now is not remembered: a second write may have the same time', async () => {
  const file = young()
  writeFileSync(file, 'text.')
  assert.equal(await measureTwice(file, () => undefined, [], Date.now), 2)
})

test('a folder without the launcher’s, such as a release on a server, is not written to', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-release-'))
  await measurementStore(folder, Date.now)('file', [old.get('none') as string], () => 1)
  assert.deepEqual(readdirSync(folder), [])
  rmSync(folder, { recursive: true })
})
