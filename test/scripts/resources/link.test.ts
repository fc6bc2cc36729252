/** Links: rows of facts, and a real one. */
import assert from 'node:assert/strict'
import { readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type PathState, pathFact, targetFact } from '../../../scripts/facts/path.ts'
import { link } from '../../../scripts/resources/link.ts'
import { applyHere, factRow, factsHere, planLines, scratch } from '../known-host.ts'

const options = { path: '/srv/bin/x', target: '/srv/x/current/x', ownedFolder: '/srv/x' } as const
const standing = { mode: '0777', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 0 } as const
const facts = (state: PathState, target: string | undefined) => [
  factRow(pathFact(options.path), state),
  factRow(targetFact(options.path), target),
]

const rows: readonly Readonly<{ name: string; state: PathState; target?: string; changes: readonly string[] }>[] = [
  {
    name: 'absent',
    state: { kind: 'absent' },
    changes: ['link /srv/bin/x to /srv/x/current/x, because it is absent'],
  },
  { name: 'up to date', state: { kind: 'link', ...standing }, target: options.target, changes: [] },
  {
    name: 'one of an older release',
    state: { kind: 'link', ...standing },
    target: '/srv/x/old/x',
    changes: ['link /srv/bin/x to /srv/x/current/x, because it points to /srv/x/old/x'],
  },
]

for (const { name, state, target, changes } of rows) {
  test(`link: ${name}`, async () => {
    assert.deepEqual(await planLines(link(options), facts(state, target)), changes)
  })
}

const foreign = [
  ['a program', { kind: 'file', ...standing }, undefined, 'it is a file'],
  ['a folder', { kind: 'directory', ...standing }, undefined, 'it is a directory'],
  ['a link to another program', { kind: 'link', ...standing }, '/opt/pipx/x', 'it is a link to /opt/pipx/x'],
  ['a link to a folder of a like name', { kind: 'link', ...standing }, '/srv/x2/x', 'it is a link to /srv/x2/x'],
] as const

for (const [name, state, target, why] of foreign) {
  test(`link: ${name} of somebody else is refused, not replaced`, async () => {
    await assert.rejects(
      planLines(link(options), facts(state, target)),
      (error: { code: number; text: { why: string } }) => {
        assert.deepEqual([error.code, error.text.why], [5, why])
        return true
      },
    )
  })
}

test('link: made with its folder, switched, and left alone', async (context) => {
  const folder = scratch(context)
  const wanted = {
    path: join(folder, "bin it's", 'x'),
    target: join(folder, 'ours/b'),
    ownedFolder: join(folder, 'ours'),
  }
  await applyHere(link({ ...wanted, target: join(folder, 'ours/a') }))
  assert.equal((await applyHere(link(wanted))).length, 1)
  assert.equal(readlinkSync(wanted.path), wanted.target)
  assert.deepEqual(await link(wanted).plan(factsHere()), [])
  const other = join(folder, 'other')
  symlinkSync('/usr/bin/true', other)
  await assert.rejects(link({ ...wanted, path: other }).plan(factsHere()), { code: 5 })
})
