/** What is told of a move before it is made, and what can be gone to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { releaseMoveLines } from '../../../scripts/output/release-move-text.ts'
import { parseEventLine, toolkitCommand } from '../../../scripts/upgrade/own-toolkit.ts'
import { obstacleOf } from '../../../scripts/upgrade/release-list.ts'
import { type MoveFacts, planMove } from '../../../scripts/upgrade/release-move-plan.ts'

const files = [
  { file: '001_a.sql', phase: null },
  { file: '002_b.sql', phase: 'expand' },
  { file: '003_c.sql', phase: 'contract' },
] as const
const facts: MoveFacts = {
  ...{ from: '1.0.0-a', to: '2.0.0-b', stops: [], files, applied: [{ file: '001_a.sql' }], instances: 2 },
  ...{ inFlight: 3, accepted: [], change: { soakSeconds: 60, isFinishing: false } },
}

test('an upgrade: migrations that come before, that wait, instances, calls, time', () => {
  assert.deepEqual(releaseMoveLines(planMove(facts)), [
    'release: 1.0.0-a -> 2.0.0-b',
    '  migrations: 002_b.sql (expand); the release before runs on with them',
    '  afterwards: 003_c.sql (contract), by the next upgrade or "upgrade --finish"',
    '  restarts:   tappass@1, tappass@2, one after the other',
    '  calls:      3 now; each instance lets its calls end for 30 s, what takes longer (a stream) is cut off',
    '  time:       not known yet on this host; the instances are watched for 60 s before it is accepted',
  ])
})

test('a migration without a phase: the release before does not run on', () => {
  assert.equal(planMove({ ...facts, applied: [] }).isReturnPossible, false)
})

test('the end of an upgrade runs what waited, and restarts nothing', () => {
  const change = { soakSeconds: 60, isFinishing: true }
  const applied = files.slice(0, 2)
  assert.deepEqual(releaseMoveLines(planMove({ ...facts, from: '2.0.0-b', applied, change })), [
    'release 2.0.0-b is in force',
    '  migrations: 003_c.sql (contract); there is no way back over them but the backup',
    '  restarts:   none',
  ])
})

const release = { version: 'A', newestMigration: '001_a.sql', hasUpgrade: true }
const status = { applied: [], pending: [], problems: [] }
const problem = { message: 'the database has 002_b.sql', next: 'restore' }
const obstacles = [
  { name: 'sound', is: undefined, args: [release, 'B', status] },
  { name: 'in force', is: /in force/, args: [release, 'A', undefined] },
  { name: 'of an older time', is: /before "upgrade"/, args: [{ ...release, hasUpgrade: false }, 'B', undefined] },
  { name: 'of an older schema', is: /002_b/, args: [release, 'B', { ...status, problems: [problem] }] },
  { name: 'without an answer', is: /does not answer/, args: [release, 'B', undefined] },
] as const
for (const { name, is, args } of obstacles)
  test(`a release that is ${name}: ${is}`, () => {
    const found = obstacleOf(...(args as Parameters<typeof obstacleOf>))
    if (is === undefined) assert.equal(found, undefined)
    else assert.match(found ?? '', is)
  })

test('the toolkit of a release is asked for a plan as a question, and told who typed it', () => {
  const { argv, effect } = toolkitCommand('A', ['rollback', '--to', 'A'], 'ada@desk', true)
  assert.equal(effect, 'read')
  assert.deepEqual(argv.slice(0, 3), ['env', 'TAPPASS_OPERATOR=ada@desk', '/opt/tappass/releases/A/tappass'])
  assert.ok(argv.includes('--plan-only') && !argv.includes('--yes'))
  assert.ok(toolkitCommand('A', [], 'ada@desk', false).argv.includes('--yes'))
})

test('its events are those of a renderer; any other line is none', () => {
  const line = JSON.stringify({ v: 3, at: 'now', host: 'here', event: 'plan', resources: 1, changes: [] })
  assert.deepEqual(parseEventLine(line), { event: 'plan', resources: 1, changes: [] })
  for (const text of ['', '{', 'tappass: no', '{"event":"plan"}', '{"v":3}'])
    assert.equal(parseEventLine(text), undefined)
})
