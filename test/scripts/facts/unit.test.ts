/** What systemctl prints, read: blocks in order, revisions from processes and from files. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unitFact, unitsFact } from '../../../scripts/facts/unit.ts'

const block = (id: string, ...rows: readonly string[]) => [`Id=${id}`, ...rows].join('\n')
const stdout = [
  block(
    'a.service',
    'LoadState=loaded',
    'ActiveState=active',
    'SubState=running',
    'UnitFileState=enabled',
    'NeedDaemonReload=no',
    'Result=success',
    'MainPID=12',
    'StateChangeTimestamp=@1795561200',
    'StatusText=serving http://127.0.0.1:9620/?a=b',
  ),
  block(
    'real-name.service',
    'LoadState=loaded',
    'ActiveState=failed',
    'SubState=failed',
    'NeedDaemonReload=yes',
    'Result=exit-code',
    'MainPID=0',
    'StateChangeTimestamp=',
  ),
  block(
    's.socket',
    'LoadState=loaded',
    'ActiveState=active',
    'SubState=listening',
    'UnitFileState=enabled',
    'NeedDaemonReload=no',
    'Result=success',
  ),
  block('none.service', 'LoadState=not-found', 'ActiveState=inactive', 'SubState=dead', 'UnitFileState=', 'MainPID=0'),
].join('\n\n')
const revisions = '12 aaaa\n99 bbbb\ns.socket cccc\n'
/** Each library of a process is there as often as it has pages that can be run; only the second process is another one. */
const libraries = ['12', '12', '120'].map(
  (pid) => `/proc/${pid}/maps:7f1c-7f1d r-xp 00028000 fe:01 131   /usr/lib/x86_64-linux-gnu/libc.so.6 (deleted)\n`,
)
const answer = {
  code: 0,
  stdout: `${stdout}\n=== revisions\n${revisions}=== replaced libraries\n${libraries.join('')}`,
  stderr: '',
}

const split = (units: readonly string[]) => {
  const pieces = unitFact('a.service').batchQuery?.split(answer, units)
  return units.map((unit) => unitFact(unit).parse(pieces?.get(unit) ?? { code: 1, stdout: '', stderr: '' }))
}

test('units: each block belongs to the unit that was asked for at its place, aliases too', () => {
  const [running, failed, socket, none] = split(['a.service', 'alias.service', 's.socket', 'none.service'])
  assert.deepEqual(running, {
    name: 'a.service',
    load: 'loaded',
    active: 'active',
    sub: 'running',
    enabled: 'enabled',
    result: 'success',
    isReloadNeeded: false,
    mainPid: 12,
    replacedLibraries: ['libc.so.6'],
    sinceSeconds: 1795561200,
    revision: 'aaaa',
    status: 'serving http://127.0.0.1:9620/?a=b',
  })
  assert.deepEqual(
    [failed?.name, failed?.active, failed?.isReloadNeeded, failed?.revision, failed?.sinceSeconds],
    ['real-name.service', 'failed', true, undefined, 0],
  )
  assert.deepEqual([socket?.active, socket?.revision], ['active', 'cccc'])
  assert.deepEqual([failed?.replacedLibraries, socket?.replacedLibraries], [[], []])
  assert.deepEqual([none?.load, none?.revision], ['not-found', undefined])
})

test('units: all that fit a pattern', () => {
  assert.deepEqual(
    unitsFact('x*')
      .parse(answer)
      .map(({ name }) => name),
    ['a.service', 'real-name.service', 's.socket', 'none.service'],
  )
})

const silent = [
  ['no systemctl', { code: 0, stdout: '\n=== revisions\n', stderr: '' }],
  ['nothing at all', { code: 127, stdout: '', stderr: 'sh: not found' }],
] as const

for (const [name, output] of silent) {
  test(`units: ${name} is a unit that is not there`, () => {
    assert.deepEqual(unitsFact('x*').parse(output), [])
    const { load, active, revision } = unitFact('a.service').parse(output)
    assert.deepEqual([load, active, revision], ['not-found', 'inactive', undefined])
  })
}
