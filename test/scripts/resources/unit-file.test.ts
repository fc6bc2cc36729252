/** Units and the files that they read when they start: one that started while a file was edited is restarted. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { revisionOf } from '../../../scripts/core/revision.ts'
import { contentFact, digestFact, pathFact } from '../../../scripts/facts/path.ts'
import { type UnitState, unitFact } from '../../../scripts/facts/unit.ts'
import { unit } from '../../../scripts/resources/unit.ts'
import { type FactRow, factRow, planLines } from '../known-host.ts'
import { RUNNING_UNIT } from '../running-unit.ts'

const content = '[Service]\nEnvironment=TAPPASS_REVISION=@REVISION@\n'
const files = [
  { path: '/etc/x/one', content: 'one\n' },
  { path: '/etc/x/two', content: 'two\n' },
]
const revision = revisionOf([content, 'one\n', 'two\n'])
const text = content.replace('@REVISION@', revision)
const path = '/etc/systemd/system/x.service'
const sha256 = (bytes: string): string => createHash('sha256').update(bytes).digest('hex')

const state: UnitState = { ...RUNNING_UNIT, revision }

const host = (read: string | undefined, unitState: UnitState): readonly FactRow[] => [
  factRow(pathFact(path), { kind: 'file', mode: '0644', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 9 }),
  factRow(digestFact(path), sha256(text)),
  factRow(contentFact(path), text),
  factRow(unitFact('x.service'), unitState),
  factRow(digestFact('/run/tappass/revision/x.service.read'), read === undefined ? undefined : sha256(read)),
]

const restart = 'restart x.service, because it was started with older configuration files'

const rows = [
  { name: 'it read what it should', read: 'one\ntwo\n', state, changes: [] },
  { name: 'it started while a file was edited', read: 'one\ntwo\n# edited\n', state, changes: [restart] },
  { name: 'it read them in another order', read: 'two\none\n', state, changes: [restart] },
  { name: 'nobody knows what it read', read: undefined, state, changes: [restart] },
  {
    name: 'it is stopped: starting it is enough',
    read: 'edited',
    state: { ...state, active: 'inactive', sub: 'dead' },
    changes: ['start x.service, because it is inactive (dead)'],
  },
]

for (const { name, read, state: unitState, changes } of rows) {
  test(`files of a unit: ${name}`, async () => {
    assert.deepEqual(await planLines(unit({ name: 'x.service', content, files }), host(read, unitState)), changes)
  })
}
