/** Folders that nobody wants any more: rows of facts, and a real one. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type PathState, pathFact } from '../../../scripts/facts/path.ts'
import { absentFolder } from '../../../scripts/resources/absent-folder.ts'
import { applyHere, factRow, planLines, scratch } from '../known-host.ts'

const standing = { mode: '0644', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 0 } as const
const options = { path: '/opt/x', reason: 'site is none' } as const

const rows: readonly (readonly [state: PathState, changes: readonly string[]])[] = [
  [{ kind: 'absent' }, []],
  [{ kind: 'file', ...standing }, []],
  [{ kind: 'link', ...standing }, []],
  [{ kind: 'directory', ...standing }, ['remove /opt/x, because site is none']],
]

for (const [state, changes] of rows) {
  test(`absent folder: ${state.kind}`, async () => {
    assert.deepEqual(await planLines(absentFolder(options), [factRow(pathFact(options.path), state)]), changes)
  })
}

test('absent folder: removed with what is in it, and then there is nothing to do', async (context) => {
  const path = join(scratch(context), "it's a folder")
  mkdirSync(join(path, 'sub'), { recursive: true })
  assert.equal((await applyHere(absentFolder({ path, reason: 'x' }))).length, 1)
  assert.equal(existsSync(path), false)
})
