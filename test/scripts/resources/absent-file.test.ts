/** Files that nobody wants any more: rows of facts, and a real one. */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type PathState, pathFact } from '../../../scripts/facts/path.ts'
import { absentFile } from '../../../scripts/resources/absent-file.ts'
import { applyHere, factRow, planLines, scratch } from '../known-host.ts'

const standing = { mode: '0644', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 0 } as const
const options = { path: '/etc/x.conf', reason: 'no proxy is set' } as const

const rows: readonly (readonly [state: PathState, changes: readonly string[]])[] = [
  [{ kind: 'absent' }, []],
  [{ kind: 'file', ...standing }, ['remove /etc/x.conf, because no proxy is set']],
  [{ kind: 'link', ...standing }, ['remove /etc/x.conf, because no proxy is set']],
  [{ kind: 'directory', ...standing }, []],
]

for (const [state, changes] of rows) {
  test(`absent file: ${state.kind}`, async () => {
    assert.deepEqual(await planLines(absentFile(options), [factRow(pathFact(options.path), state)]), changes)
  })
}

test('absent file: removed, and then there is nothing to do', async (context) => {
  const path = join(scratch(context), "it's a file")
  writeFileSync(path, '')
  assert.equal((await applyHere(absentFile({ path, reason: 'x' }))).length, 1)
  assert.equal(existsSync(path), false)
})
