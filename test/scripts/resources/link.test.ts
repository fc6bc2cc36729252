/** Links: rows of facts, and real ones. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type PathState, pathFact, targetFact } from '../../../scripts/facts/path.ts'
import { link } from '../../../scripts/resources/link.ts'
import { applyHere, factRow, planLines, scratch } from '../known-host.ts'

const there = { kind: 'link', mode: '0777', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 3 } as const

const rows: readonly Readonly<{
  name: string
  state: PathState
  target: string | undefined
  changes: readonly string[]
}>[] = [
  { name: 'absent', state: { kind: 'absent' }, target: undefined, changes: ['link /l to /b, because it is absent'] },
  { name: 'up to date', state: there, target: '/b', changes: [] },
  { name: 'elsewhere', state: there, target: '/a', changes: ['link /l to /b, because it points to /a'] },
  {
    name: 'a file',
    state: { ...there, kind: 'file' },
    target: undefined,
    changes: ['link /l to /b, because it is a file'],
  },
]

for (const { name, state, target, changes } of rows) {
  test(`link: ${name}`, async () => {
    const facts = [factRow(pathFact('/l'), state), factRow(targetFact('/l'), target)]
    assert.deepEqual(await planLines(link({ path: '/l', target: '/b' }), facts), changes)
  })
}

test('link: a directory in its place is refused', async () => {
  const facts = [
    factRow(pathFact('/l'), { ...there, kind: 'directory' as const }),
    factRow(targetFact('/l'), undefined),
  ]
  await assert.rejects(planLines(link({ path: '/l', target: '/b' }), facts), { code: 5 })
})

test('link: switched from one directory to another, not into it', async (context) => {
  const folder = scratch(context)
  for (const name of ["first's", 'second $x']) mkdirSync(join(folder, name))
  symlinkSync("first's", join(folder, 'current'))
  await applyHere(link({ path: join(folder, 'current'), target: 'second $x' }))
  assert.equal(readlinkSync(join(folder, 'current')), 'second $x')
  assert.deepEqual(readdirSync(join(folder, "first's")), [])
})
