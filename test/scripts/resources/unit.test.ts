/** Units: the state of systemd in rows, and what would be done about it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { revisionOf } from '../../../scripts/core/revision.ts'
import { listeningFact } from '../../../scripts/facts/listening-address.ts'
import { contentFact, digestFact, type PathState, pathFact } from '../../../scripts/facts/path.ts'
import { type UnitState, unitFact } from '../../../scripts/facts/unit.ts'
import { type UnitOptions, unit } from '../../../scripts/resources/unit.ts'
import { argvOf, type FactRow, factReaderOf, factRow, planLines } from '../known-host.ts'
import { RUNNING_UNIT } from '../running-unit.ts'

const content = '[Service]\nEnvironment=TAPPASS_REVISION=@REVISION@\n'
const revision = revisionOf([content, 'setting'])
const written = content.replace('@REVISION@', revision)
const options: UnitOptions = { name: 'x.service', content, inputs: ['setting'] }
const path = '/etc/systemd/system/x.service'

const running: UnitState = { ...RUNNING_UNIT, revision }
const unknown: UnitState = {
  ...running,
  load: 'not-found',
  active: 'inactive',
  sub: 'dead',
  enabled: '',
  mainPid: 0,
  replacedLibraries: [],
  revision: undefined,
}
const file = { kind: 'file', mode: '0644', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 9 } as const

const fileRows = (text: string | undefined, at = path): readonly FactRow[] => {
  const state: PathState = text === undefined ? { kind: 'absent' } : file
  const digest = text === undefined ? undefined : createHash('sha256').update(text).digest('hex')
  return [factRow(pathFact(at), state), factRow(digestFact(at), digest), factRow(contentFact(at), text)]
}

const rows: readonly Readonly<{ name: string; state: UnitState; text?: string; changes: readonly string[] }>[] = [
  {
    name: 'new',
    state: unknown,
    changes: [
      `write ${path}, because it is absent`,
      'enable x.service, because it is new',
      'start x.service, because it is new',
    ],
  },
  { name: 'up to date', state: running, text: written, changes: [] },
  {
    name: 'stopped',
    state: { ...running, active: 'inactive', sub: 'dead', revision: undefined },
    text: written,
    changes: ['start x.service, because it is inactive (dead)'],
  },
  {
    name: 'failed',
    state: { ...running, active: 'failed', sub: 'failed', revision: undefined },
    text: written,
    changes: ['start x.service, because it is failed (failed)'],
  },
  {
    name: 'disabled, but running',
    state: { ...running, enabled: 'disabled' },
    text: written,
    changes: ['enable x.service, because it is disabled'],
  },
  {
    name: 'masked',
    state: { ...unknown, load: 'masked', enabled: 'masked' },
    text: written,
    changes: ['enable x.service, because it is masked', 'start x.service, because it is inactive (dead)'],
  },
  {
    name: 'runs what it was started with before a setting changed',
    state: { ...running, revision: 'old' },
    text: written,
    changes: [`restart x.service, because it runs revision old, not ${revision}`],
  },
  {
    name: 'started by hand from a file without a revision',
    state: { ...running, revision: undefined },
    text: written,
    changes: [`restart x.service, because it runs revision unknown, not ${revision}`],
  },
  {
    name: 'runs with a library that was replaced, and says nothing of itself: no restart',
    state: { ...running, replacedLibraries: ['libc.so.6'] },
    text: written,
    changes: [],
  },
  {
    name: 'its file was edited, the process not touched: no restart',
    state: running,
    text: `${written}# edited\n`,
    changes: [`write ${path}, because its content differs`],
  },
  {
    name: 'killed between the file and daemon-reload',
    state: { ...running, isReloadNeeded: true, revision: 'old' },
    text: written,
    changes: [
      'reload systemd units, because x.service changed on disk; daemon-reload needed',
      `restart x.service, because it runs revision old, not ${revision}`,
    ],
  },
]

for (const { name, state, text, changes } of rows) {
  test(`unit: ${name}`, async () => {
    assert.deepEqual(
      await planLines(unit(options), [...fileRows(text), factRow(unitFact('x.service'), state)]),
      changes,
    )
  })
}

const verbs: readonly Readonly<{ name: string; state: UnitState; argv: readonly (readonly string[])[] }>[] = [
  {
    name: 'a failed unit is forgiven first',
    state: { ...running, active: 'failed' },
    argv: [
      ['systemctl', 'reset-failed', 'x.service'],
      ['systemctl', 'start', 'x.service'],
    ],
  },
  {
    name: 'one that waits for its next try is not waited for',
    state: { ...running, active: 'activating', sub: 'auto-restart' },
    argv: [['systemctl', 'restart', 'x.service']],
  },
  {
    name: 'a masked unit is unmasked',
    state: { ...running, load: 'masked', enabled: 'masked' },
    argv: [
      ['systemctl', 'unmask', 'x.service'],
      ['systemctl', 'enable', 'x.service'],
    ],
  },
]

for (const { name, state, argv } of verbs) {
  test(`unit: ${name}`, async () => {
    const facts = [...fileRows(written), factRow(unitFact('x.service'), state)]
    assert.deepEqual(argvOf(await unit(options).plan(factReaderOf(facts))), argv)
  })
}

test('unit: a written file is read by systemd in the same change', async () => {
  const facts = [...fileRows(undefined), factRow(unitFact('x.service'), running)]
  const [change] = await unit(options).plan(factReaderOf(facts))
  assert.deepEqual(change?.commands.at(-1)?.argv, ['systemctl', 'daemon-reload'])
})

test('unit: systemd reads a new one once, when it is enabled', async () => {
  const facts = [...fileRows(undefined), factRow(unitFact('x.service'), unknown)]
  const argv = argvOf(await unit(options).plan(factReaderOf(facts)))
  const verbs = argv.flatMap(([program, verb]) => (program === 'systemctl' ? [verb] : []))
  assert.deepEqual(verbs, ['enable', 'start'])
})

test('unit: of a template only the file, of an instance only the state, and both agree on the revision', async () => {
  const at = '/etc/systemd/system/x@.service'
  const template = unit({ ...options, name: 'x@.service' })
  assert.deepEqual(await planLines(template, fileRows(written, at)), [])
  const instance = unit({ ...options, name: 'x@1.service' })
  assert.deepEqual(await planLines(instance, [factRow(unitFact('x@1.service'), running)]), [])
})

test('unit: a file on the host is part of the revision: another credential is a restart', async () => {
  const credential = '/etc/credstore.encrypted/k'
  const wanted = unit({ name: 'x@1.service', content, inputPaths: [credential] })
  const old = revisionOf([content, 'aa'])
  const state = factRow(unitFact('x@1.service'), { ...running, revision: old })
  assert.deepEqual(await planLines(wanted, [state, factRow(digestFact(credential), 'aa')]), [])
  assert.match((await planLines(wanted, [state, factRow(digestFact(credential), 'bb')])).join(), /^restart x@1/)
})

const socket = '[Socket]\nListenStream=127.0.0.1:9620\n'
const sockets: readonly Readonly<{
  name: string
  file?: string
  state?: Partial<UnitState>
  isListening: boolean
  argv: readonly string[]
}>[] = [
  {
    name: 'stopped by hand: the services that still hold it are stopped, and come back after it',
    state: { active: 'inactive', sub: 'dead' },
    isListening: true,
    argv: ['systemctl stop x@1.service x@2.service', 'systemctl start x.socket'],
  },
  {
    name: 'new: no service holds it',
    state: { active: 'inactive', sub: 'dead', load: 'not-found' },
    isListening: false,
    argv: ['systemctl start x.socket'],
  },
  { name: 'up to date', isListening: true, argv: [] },
  {
    name: 'another file is only read again: the instances hold the socket, and go on',
    file: '[Socket]\nListenStream=127.0.0.1:9620\nBacklog=16\n',
    isListening: true,
    argv: ['systemctl daemon-reload'],
  },
  {
    name: 'another address needs another socket, which systemd does not open while its services run',
    isListening: false,
    argv: ['systemctl stop x.socket x@1.service x@2.service', 'systemctl start x.socket x@1.service x@2.service'],
  },
]

for (const { name, file, state, isListening, argv } of sockets) {
  test(`unit: a socket: ${name}`, async () => {
    const wanted = unit({
      name: 'x.socket',
      content: socket,
      listensAt: { host: '127.0.0.1', port: 9620 },
      restartedTogether: ['x@1.service', 'x@2.service'],
    })
    const facts = [
      ...fileRows(file ?? socket, '/etc/systemd/system/x.socket'),
      factRow(unitFact('x.socket'), { ...running, ...state }),
      factRow(listeningFact('127.0.0.1', 9620), isListening),
    ]
    const said = argvOf(await wanted.plan(factReaderOf(facts))).map((words) => words.join(' '))
    assert.deepEqual(
      said.filter((words) => words.startsWith('systemctl')),
      argv,
    )
  })
}

const standby = 'x-standby.service'
const aside: UnitState = { ...running, name: standby, enabled: 'static', active: 'inactive', sub: 'dead' }
const standbys: readonly Readonly<{ name: string; state: UnitState; other: UnitState; argv: readonly string[] }>[] = [
  {
    name: 'the other one serves while this one is restarted',
    state: { ...running, revision: 'old' },
    other: aside,
    argv: [`start ${standby}`, 'restart x.service', `stop ${standby}`],
  },
  {
    name: 'a restart that was cut off is begun again',
    state: { ...running, revision: 'old' },
    other: { ...aside, active: 'active', sub: 'running' },
    argv: [`start ${standby}`, 'restart x.service', `stop ${standby}`],
  },
  {
    name: 'a restart that was cut off before its last step is ended',
    state: running,
    other: { ...aside, active: 'active', sub: 'running' },
    argv: [`stop ${standby}`],
  },
  {
    name: 'a stand-in that did not start, for a change that was taken back',
    state: running,
    other: { ...aside, active: 'failed', sub: 'failed' },
    argv: [`reset-failed ${standby}`],
  },
  {
    name: 'the other one serves on until this one is up',
    state: { ...running, active: 'inactive', sub: 'dead' },
    other: { ...aside, active: 'active', sub: 'running' },
    argv: ['start x.service', `stop ${standby}`],
  },
  { name: 'nothing to do', state: running, other: { ...aside, load: 'not-found' }, argv: [] },
]

for (const { name, state, other, argv } of standbys) {
  test(`unit with a stand-in: ${name}`, async () => {
    const facts = [...fileRows(written), factRow(unitFact('x.service'), state), factRow(unitFact(standby), other)]
    const changes = await unit({ ...options, standby }).plan(factReaderOf(facts))
    assert.deepEqual(
      argvOf(changes).map(([, ...words]) => words.join(' ')),
      argv,
    )
  })
}

const lenient: readonly Readonly<{
  name: string
  wanted: UnitOptions
  state: UnitState
  changes: readonly string[]
}>[] = [
  {
    name: 'a oneshot that a timer starts is neither enabled nor started',
    wanted: { name: 'x@1.service', content: '[Service]\n', isEnabled: false, isRunning: false },
    state: { ...unknown, load: 'loaded' },
    changes: [],
  },
  {
    name: "another package's unit is started and enabled, its file left alone",
    wanted: { name: 'docker.service' },
    state: { ...running, active: 'inactive', sub: 'dead', enabled: 'disabled' },
    changes: ['enable docker.service, because it is disabled', 'start docker.service, because it is inactive (dead)'],
  },
  {
    name: "another package's unit whose drop-in carries a revision",
    wanted: { name: 'docker.service', revision: 'new' },
    state: { ...running, revision: 'old' },
    changes: ['restart docker.service, because it runs revision old, not new'],
  },
  {
    name: 'a unit without an [Install] section can not be enabled',
    wanted: { name: 'x@1.service', content: '[Service]\n' },
    state: { ...running, enabled: 'static' },
    changes: [],
  },
]

for (const { name, wanted, state, changes } of lenient) {
  test(`unit: ${name}`, async () =>
    assert.deepEqual(await planLines(unit(wanted), [factRow(unitFact(wanted.name), state)]), changes))
}
