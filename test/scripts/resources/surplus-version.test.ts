/** Versions that nothing uses go, and never one that something uses. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  type InstalledVersions,
  installedVersionsFact,
  surplusVersion,
} from '../../../scripts/resources/surplus-version.ts'
import { applyHere, factRow, factsHere, planLines, scratch } from '../known-host.ts'

const options = { folder: '/opt/node', version: '26' }
const rows: readonly Readonly<{ name: string; state: Partial<InstalledVersions>; removed: readonly string[] }>[] = [
  { name: 'only the wanted one', state: {}, removed: [] },
  { name: 'an older one that nothing runs', state: { versions: ['24'], uses: ['/bin/sh'] }, removed: ['24'] },
  {
    name: 'one that a process still runs, also from a file that was replaced',
    state: { versions: ['22', '24'], uses: ['/opt/node/24/bin/node (deleted)'] },
    removed: ['22'],
  },
  {
    name: 'one whose name begins with that of a used one',
    state: { versions: ['2', '24'], uses: ['/opt/node/24/bin/node'] },
    removed: ['2'],
  },
  {
    name: 'before the wanted one is installed, the one in its place is announced',
    state: { versions: ['24'], current: '/opt/node/24', uses: ['/opt/node/24/bin/node'] },
    removed: ['24'],
  },
]

for (const { name, state, removed } of rows) {
  test(`surplus version: ${name}`, async () => {
    const facts: InstalledVersions = { versions: [], current: '/opt/node/26', uses: [], ...state }
    assert.deepEqual(
      await planLines(surplusVersion(options), [factRow(installedVersionsFact(options), facts)]),
      removed.map((each) => `remove /opt/node/${each}, because 26 has taken its place`),
    )
  })
}

test('surplus version: on this machine: a used one stays until its process has ended; folders that there are not are no fault', async (context) => {
  const folder = scratch(context)
  const here = { folder, version: 'new' }
  assert.deepEqual(await surplusVersion({ folder: join(folder, 'none'), version: 'x' }).plan(factsHere()), [])
  for (const name of ['old', 'used', 'new', "it's"]) mkdirSync(join(folder, name))
  symlinkSync(join(folder, 'new'), join(folder, 'current'))
  const program = join(folder, 'used', 'sleep')
  copyFileSync('/bin/sleep', program)
  const child = spawn(program, ['600'])
  await once(child, 'spawn')
  while (!readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').startsWith(program));
  await applyHere(surplusVersion(here))
  const there = () => ['old', 'used', 'new', "it's", 'current'].filter((name) => existsSync(join(folder, name)))
  assert.deepEqual(there(), ['used', 'new', 'current'])
  child.kill('SIGKILL')
  await once(child, 'exit')
  await applyHere(surplusVersion(here))
  assert.deepEqual(there(), ['new', 'current'])
})
