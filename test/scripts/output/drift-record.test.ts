/** What `status` says of the last look for drift: rows of records. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { driftLines, isRepairable } from '../../../scripts/drift/report.ts'
import {
  type DriftRecord,
  judgeDrift,
  parseDriftRecord,
  type Who,
  whoText,
} from '../../../scripts/output/drift-record.ts'

const at = '2026-11-27T04:27:00Z'
const nowSeconds = Date.parse(at) / 1000 + 600
const head = '000007-ended.json'
const clean: DriftRecord = { at, check: 'daily', run: 7, head, findings: [], obstacles: [] }
const changed: DriftRecord = {
  ...clean,
  findings: [
    {
      resource: 'file:/etc/tappass/Caddyfile',
      action: 'set owner and mode of /etc/tappass/Caddyfile',
      reason: 'its mode is 0666, not 0644',
      changedAt: '2026-11-27T03:00:00.000Z',
      seenAt: at,
      who: { kind: 'account', account: 'ada', by: 'sudo', command: '/usr/bin/chmod 0666 /etc/tappass/Caddyfile' },
    },
    {
      resource: 'unit:tappass.socket',
      action: 'start tappass.socket',
      reason: 'it is inactive (dead)',
      seenAt: at,
      who: { kind: 'unknown' },
    },
  ],
}

type Row = readonly [
  name: string,
  text: string,
  now: number,
  head: string,
  states: readonly (readonly [RegExp, boolean])[],
]

const rows: readonly Row[] = [
  ['no look yet', '', nowSeconds, head, []],
  [
    'nothing differs',
    JSON.stringify(clean),
    nowSeconds,
    head,
    [[/^none at 2026-11-27T04:27:00Z, compared with run 7$/, true]],
  ],
  [
    'two things differ',
    JSON.stringify(changed),
    nowSeconds,
    head,
    [
      [
        /^file:\/etc\/tappass\/Caddyfile: its mode is 0666, not 0644 \(.*\); changed 2026-11-27T03:00:00.000Z, by ada \(sudo: /,
        false,
      ],
      [/^unit:tappass\.socket: .*; seen first 2026-11-27T04:27:00Z, by whom is unknown$/, false],
    ],
  ],
  ['a run was made since', JSON.stringify(changed), nowSeconds, '000008-begun.json', [[/^a run was made since/, true]]],
  [
    'the log is not there any more',
    JSON.stringify(changed),
    nowSeconds,
    '',
    [
      [/./, false],
      [/./, false],
    ],
  ],
  ['no look for days', JSON.stringify(clean), nowSeconds + 3 * 86_400, head, [[/^the last look was at/, false]]],
  [
    'no look for some hours, of one each hour',
    JSON.stringify({ ...clean, check: 'hourly' }),
    nowSeconds + 3 * 3600,
    head,
    [[/^the last look was at/, false]],
  ],
  [
    'it could not be compared',
    JSON.stringify({ ...clean, problem: 'run 7 was of release 1' }),
    nowSeconds,
    head,
    [[/^not compared at .*: run 7 was of release 1$/, false]],
  ],
  ['half a file', '{"at":', nowSeconds, head, [[/cannot be read/, false]]],
  ['something else', '{"at":1}', nowSeconds, head, [[/cannot be read/, false]]],
]

for (const [name, text, now, last, states] of rows) {
  test(`drift in status: ${name}`, () => {
    const found = judgeDrift(text, last, now)
    assert.equal(found.length, states.length)
    for (const [index, [state, isWell]] of states.entries()) {
      assert.equal(found[index]?.isWell, isWell)
      assert.match(found[index]?.state ?? '', state)
    }
  })
}

for (const [who, expected] of [
  [{ kind: 'packages', command: 'dpkg: remove libatomic1' }, /^by the package manager \(dpkg: remove libatomic1\)$/],
  [{ kind: 'packages', command: 'apt purge x', account: 'ada (1000)' }, / for ada \(1000\)$/],
  [{ kind: 'present', sessions: ['root by sshd'] }, /^by whom is not told; with root’s rights then: root by sshd$/],
  [{ kind: 'run', number: 3 }, /^as run 3 left it/],
] as const satisfies readonly (readonly [Who, RegExp])[]) {
  test(`drift: who it was, in words: ${who.kind}`, () => {
    assert.match(whoText(who), expected)
  })
}

test('drift: a record is read as it was written, and the journal has priorities', () => {
  assert.deepEqual(parseDriftRecord(JSON.stringify(changed)), changed)
  assert.match(
    driftLines({ ...changed, obstacles: ['x'] }, true).join('\n'),
    /^<4>file:.*\n<4>unit:.*\n<5>it is not put back by itself: x$/,
  )
  assert.deepEqual(driftLines(clean, false), ['nothing differs from run 7'])
})

for (const [name, record, expected] of [
  ['nothing differs', clean, false],
  ['something does', changed, true],
  ['a file of the controller is missing', { ...changed, obstacles: ['x'] }, false],
  ['it was not compared', { ...changed, problem: 'x' }, false],
] satisfies readonly (readonly [string, DriftRecord, boolean])[]) {
  test(`drift: is it put back when ${name}`, () => {
    assert.equal(isRepairable(record), expected)
  })
}
