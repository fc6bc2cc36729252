/** Directories: rows of facts, and real ones. */
import assert from 'node:assert/strict'
import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type PathState, pathFact } from '../../../scripts/facts/path.ts'
import { directory } from '../../../scripts/resources/directory.ts'
import { applyHere, factRow, factsHere, planLines, scratch } from '../known-host.ts'

const options = { path: '/srv/x', owner: 'root', group: 70, mode: '0750' } as const
const there = { kind: 'directory', mode: '0750', owner: 'root', group: 'postgres', uid: 0, gid: 70, bytes: 0 } as const

const rows: readonly Readonly<{ name: string; state: PathState; changes: readonly string[] }>[] = [
  { name: 'absent', state: { kind: 'absent' }, changes: ['create directory /srv/x, because it is absent'] },
  { name: 'up to date, the group by its number', state: there, changes: [] },
  {
    name: 'another mode',
    state: { ...there, mode: '2755' },
    changes: ['set owner and mode of /srv/x, because its mode is 2755, not 0750'],
  },
  {
    name: 'another group',
    state: { ...there, gid: 0, group: 'root' },
    changes: ['set owner and mode of /srv/x, because its owner is root:root, not root:70'],
  },
]

for (const { name, state, changes } of rows) {
  test(`directory: ${name}`, async () => {
    assert.deepEqual(await planLines(directory(options), [factRow(pathFact('/srv/x'), state)]), changes)
  })
}

test('directory: a file in its place is refused, not removed', async () => {
  const facts = [factRow(pathFact('/srv/x'), { ...there, kind: 'file' })]
  await assert.rejects(planLines(directory(options), facts), {
    name: 'Failure',
    code: 5,
    message: '/srv/x is not a directory',
  })
})

test('directory: made with its parents, its mode mended', async (context) => {
  const path = join(scratch(context), "it's", 'a "name"', ' with spaces\nand a line')
  const { uid, gid } = userInfo()
  const wanted = directory({ path, owner: uid, group: gid, mode: '0710' })
  assert.equal((await applyHere(wanted)).length, 1)
  chmodSync(path, 0o755)
  assert.match((await applyHere(wanted))[0]?.reason ?? '', /its mode is 0755, not 0710/)
  assert.equal(statSync(path).mode & 0o7777, 0o710)
  writeFileSync(join(path, 'kept'), '')
  assert.deepEqual(await wanted.plan(factsHere()), [])
})
