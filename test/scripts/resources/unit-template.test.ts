/** Moving the instances of a template one after the other: what each of them starts from at every point, and what is put back. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Resource } from '../../../scripts/core/resource.ts'
import { revisionOf } from '../../../scripts/core/revision.ts'
import { contentFact, digestFact, pathFact } from '../../../scripts/facts/path.ts'
import { type UnitState, unitFact } from '../../../scripts/facts/unit.ts'
import { overridesFact } from '../../../scripts/files/unit-override.ts'
import { unit } from '../../../scripts/resources/unit.ts'
import { firstUnitTemplate, unitTemplate } from '../../../scripts/resources/unit-template.ts'
import { argvOf, type FactRow, factReaderOf, factRow, planLines } from '../known-host.ts'
import { RUNNING_UNIT } from '../running-unit.ts'

const settings = { path: '/etc/x.env', nextPath: '/etc/x.env.next', content: 'A=new\n' }
const source = {
  content: `[Service]\nEnvironment=TAPPASS_REVISION=@REVISION@\nEnvironmentFile=${settings.path}\n`,
  files: [{ path: settings.path, content: settings.content }],
}
const revision = revisionOf([source.content, settings.content])
const text = source.content.replace('@REVISION@', revision)
const rollout = { template: 'x@.service', settings }
const options = { source, rollout, serving: 'serving', assertCanGoBack: async () => {} }
const [templatePath, overridePath] = ['/etc/systemd/system/x@.service', '/etc/systemd/system/x@1.service']

const running: UnitState = { ...RUNNING_UNIT, name: 'x@1.service', revision, status: 'serving http://here' }
const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex')
const file = { kind: 'file', mode: '0644', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 9 } as const
const fileRows = (path: string, content: string | undefined): readonly FactRow[] => [
  factRow(pathFact(path), content === undefined ? { kind: 'absent' } : file),
  factRow(digestFact(path), content === undefined ? undefined : sha256(content)),
  factRow(contentFact(path), content),
]

/** A host; what is not given is as desired. */
type Host = Readonly<{
  template?: string
  settings?: string
  override?: string
  isNew?: true
  state?: Partial<UnitState>
}>
const factsOf = (host: Host): readonly FactRow[] => [
  ...fileRows(templatePath, host.isNew ? undefined : (host.template ?? text)),
  ...fileRows(settings.path, host.isNew ? undefined : (host.settings ?? settings.content)),
  ...fileRows(overridePath, host.override),
  ...fileRows(settings.nextPath, host.override === undefined ? undefined : settings.content),
  factRow(overridesFact('x@.service'), host.override === undefined ? [] : ['x@1.service']),
  factRow(unitFact('x@1.service'), { ...running, ...host.state }),
  factRow(digestFact('/run/tappass/revision/x@1.service.read'), sha256(settings.content)),
]

const first = firstUnitTemplate(options)
const instance = unit({ name: 'x@1.service', ...source, serving: 'serving', rollout })
const last = unitTemplate(options)
const old = { state: { revision: 'old' } } as const

const rows: readonly Readonly<{
  name: string
  host: Host
  changes: readonly (readonly [Resource, readonly string[]])[]
}>[] = [
  {
    name: 'all is as desired',
    host: {},
    changes: [
      [first, []],
      [instance, []],
      [last, []],
    ],
  },
  {
    name: 'a security update replaced libraries that an instance uses',
    host: { state: { replacedLibraries: ['libc.so.6', 'libm.so.6'] } },
    changes: [
      [first, []],
      [instance, ['restart x@1.service, because it still uses libraries that were replaced: libc.so.6 libm.so.6']],
      [last, []],
    ],
  },
  {
    name: 'there is no template yet: it is written before its instances',
    host: { isNew: true, state: { active: 'inactive', sub: 'dead', load: 'not-found' } },
    changes: [
      [first, [`write ${settings.path}, because it is absent`, `write ${templatePath}, because it is absent`]],
      [instance, ['start x@1.service, because it is new']],
      [last, []],
    ],
  },
  {
    name: 'another release: the instance first, what is in force last',
    host: { ...old, template: 'old', settings: 'A=old\n' },
    changes: [
      [first, []],
      [instance, [`restart x@1.service, because it runs revision old, not ${revision}`]],
      [
        last,
        [`write ${settings.path}, because its content differs`, `write ${templatePath}, because its content differs`],
      ],
    ],
  },
  {
    name: 'all were moved: their files go with what they replaced',
    host: { template: 'old', override: 'moved' },
    changes: [
      [instance, []],
      [
        last,
        [
          `write ${templatePath}, because its content differs`,
          `remove ${overridePath} ${settings.nextPath}, because all instances run what is in force`,
        ],
      ],
    ],
  },
]

for (const { name, host, changes } of rows) {
  test(`rollout: ${name}`, async () => {
    for (const [resource, lines] of changes) assert.deepEqual(await planLines(resource, factsOf(host)), lines)
  })
}

/** Paths that the commands of an instance's change write or remove, and the last command. */
const moves = async (host: Host) => {
  const commands = argvOf(await instance.plan(factReaderOf(factsOf(host))))
  return commands.map((argv) =>
    (argv[0] === 'sh' ? argv.slice(4).filter((word) => !/^\d+$/.test(word)) : argv).join(' '),
  )
}

const serve = (verb: string): string => `${verb} x@1.service serving`
const reload = 'systemctl daemon-reload'
const written = (path: string): readonly string[] => {
  const candidate = path.replace(/([^/]+)$/, '.$1.tappass-new')
  return [`${candidate} root:root`, `${candidate} ${path}`]
}

const moveRows = [
  {
    name: 'another text',
    host: { ...old, template: 'old' },
    commands: [...written(settings.nextPath), ...written(overridePath), reload, serve('restart')],
  },
  {
    name: 'other settings',
    host: { ...old, settings: 'A=old\n' },
    commands: [...written(settings.nextPath), ...written(overridePath), reload, serve('restart')],
  },
  {
    name: 'what is in force, and it died',
    host: { state: { active: 'inactive', sub: 'dead' } },
    commands: [serve('start')],
  },
  {
    name: 'what is in force, and it was moved elsewhere',
    host: { ...old, override: 'other' },
    commands: [`rm -f -- ${overridePath}`, reload, serve('restart')],
  },
] as const

for (const { name, host, commands } of moveRows) {
  test(`rollout: an instance is moved to ${name}`, async () => {
    assert.deepEqual(
      (await moves(host)).map((line) => line.replace(' 0644', '')),
      commands,
    )
  })
}

test('rollout: an override reads the next settings, and says the same revision', async () => {
  const [change] = await instance.plan(factReaderOf(factsOf({ ...old, template: 'old' })))
  const texts = change?.commands.flatMap(({ stdin }) => (typeof stdin === 'string' ? [stdin] : []))
  assert.deepEqual(texts, [settings.content, text.replace(settings.path, settings.nextPath)])
})

test('rollout: undone, each override goes and its instance is restarted; without one nothing is', async () => {
  const undo = { id: 'undo', plan: last.undo ?? (() => assert.fail('no undo')) }
  assert.deepEqual(await planLines(undo, factsOf({})), [])
  assert.deepEqual(await planLines(undo, factsOf({ override: 'moved' })), [
    'put x@1.service back to what is in force, because the rollout failed',
    `remove ${settings.nextPath}, because the rollout failed`,
  ])
})

test('rollout: nothing is put back that could not start', async () => {
  const refusing = unitTemplate({
    ...options,
    assertCanGoBack: async () => Promise.reject(new Error('migrated since')),
  })
  await assert.rejects(async () => refusing.undo?.(factReaderOf(factsOf({ override: 'moved' }))), /migrated since/)
})

const healthRows = [
  ['serves', {}, undefined],
  ['says what fails', { status: 'unhealthy: redis' }, 'x@1.service (unhealthy: redis)'],
  [
    'has not started yet',
    { active: 'activating', status: 'waiting for database' },
    'x@1.service (waiting for database)',
  ],
  ['died', { active: 'failed', status: '' }, 'x@1.service (failed)'],
] as const

for (const [name, state, verdict] of healthRows) {
  test(`unit: one that ${name} is ${verdict === undefined ? 'well' : 'not well'}`, async () => {
    assert.equal(await instance.health?.(factReaderOf(factsOf({ state }))), verdict)
  })
}
