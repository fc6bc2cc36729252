/**
 * How what a bootstrap makes goes again. Contract: every kind of resource says it, whoever adds one; each is tried on a host that has nothing,
 * where there is nothing to do. Rows: ours goes, what was there before us stays, data go with the word for it only.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { LEFT_ALWAYS, leftBehind, resourcesAbsent } from '../../../scripts/converge/host-removal.ts'
import type { Resource } from '../../../scripts/core/resource.ts'
import { accountFact } from '../../../scripts/facts/account.ts'
import { type MadeKind, type MadeRecord, madeRecordFact } from '../../../scripts/facts/made-record.ts'
import { removablePackagesFact } from '../../../scripts/facts/package.ts'
import { pathFact, targetFact } from '../../../scripts/facts/path.ts'
import { unitFact } from '../../../scripts/facts/unit.ts'
import { recipe } from '../../../scripts/recipe.ts'
import { account } from '../../../scripts/resources/account.ts'
import { aptPackage } from '../../../scripts/resources/apt-package.ts'
import { directory } from '../../../scripts/resources/directory.ts'
import { file } from '../../../scripts/resources/file.ts'
import { link } from '../../../scripts/resources/link.ts'
import { storedSecrets } from '../../../scripts/resources/stored-secrets.ts'
import { unit } from '../../../scripts/resources/unit.ts'
import { type FactRow, factReaderOf, factRow } from '../known-host.ts'
import { blank, specOf, systems, text } from '../roles/blank-host.ts'

const folder = join(import.meta.dirname, '../../../scripts/resources')
const specs = [{}, { ingress: 'none' }, { domain: 'gw.example.com', docker: { source: 'distribution', adopt: true } }]
const all = specs.flatMap((spec) => recipe(specOf(spec), text).flatMap(({ resources }) => resources))

describe('every kind says how it goes', () => {
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.ts'))) {
    test(name, () => {
      const source = readFileSync(join(folder, name), 'utf8')
      const [made, going] = [/^ {4}id: [`'][a-z]/gm, /^ {4}absent: /gm].map(
        (pattern) => source.match(pattern)?.length ?? 0,
      )
      assert.ok(made !== undefined && made > 0, 'a kind')
      assert.equal(going, made, 'as many `absent` as kinds')
    })
  }
  test('and so does every resource of a host, also one that a role makes by itself', () => {
    assert.deepEqual(
      all.filter(({ absent }) => absent === undefined).map(({ id }) => id),
      [],
    )
  })
  test('a resource without it is a defect, not something that stays', () => {
    assert.throws(
      () => resourcesAbsent([{ id: 'x:y', plan: async () => [] }], { isWithData: true }),
      /x:y does not say/,
    )
  })
})

test('on a bare host there is nothing to take away, with data or without', async () => {
  for (const system of systems)
    for (const isWithData of [true, false])
      for (const resource of resourcesAbsent(all, { isWithData }))
        assert.deepEqual(await resource.plan(blank(system)), [], resource.id)
})

test('one resource takes away all packages: the one that stops the engine before', async () => {
  const getFact = factReaderOf([factRow(removablePackagesFact, ['curl'])])
  const taking = new Set<string>()
  for (const { id, plan } of resourcesAbsent(all, { isWithData: true }))
    if (id.startsWith('apt-package:') && (await plan(getFact)).length > 0) taking.add(id)
  assert.deepEqual([...taking], ['apt-package:docker'])
})

test('the last made goes first, and the folder with the settings and the record goes last', () => {
  const ids = resourcesAbsent(all, { isWithData: true }).map(({ id }) => id)
  assert.equal(ids.at(-1), 'directory:/etc/tappass')
  const before = (one: string, other: string) => assert.ok(ids.indexOf(one) < ids.indexOf(other), `${one} < ${other}`)
  before('unit:tappass.target', 'unit:tappass-postgres.service')
  before('unit:tappass-postgres.service', 'apt-package:docker')
  before('apt-package:docker', 'engine-trace:docker')
  before('file:/etc/docker/daemon.json', 'directory:/etc/docker')
})

describe('what stays is told', () => {
  const rows = [
    [{ hasData: false, hasSettings: true, hasRecord: true }, 0],
    [{ hasData: true, hasSettings: true, hasRecord: true }, 1],
    [{ hasData: false, hasSettings: true, hasRecord: false }, 1],
    [{ hasData: false, hasSettings: false, hasRecord: false }, 0],
  ] as const
  for (const [had, more] of rows)
    test(JSON.stringify(had), () => assert.equal(leftBehind(had).length, LEFT_ALWAYS.length + more))
})

const record = (...lines: readonly string[]): FactRow =>
  factRow(madeRecordFact, {
    has: (kind, name) => lines.includes(`${kind} ${name}`),
    all: (kind: MadeKind) =>
      lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1)),
  } satisfies MadeRecord)
const is = (path: string, kind: 'file' | 'directory'): FactRow =>
  factRow(pathFact(path), { kind, mode: '0644', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 1 })
const person = factRow(accountFact('ada'), { uid: 1000, gid: 1000, home: '/home/ada', shell: '/bin/bash' })
const ours = factRow(accountFact('tappass'), { uid: 990, gid: 990, home: '/nonexistent', shell: '/usr/sbin/nologin' })
const state = {
  name: 'tappass.target',
  load: 'loaded',
  active: 'active',
  sub: 'active',
  enabled: 'enabled',
  result: '',
}
const unitState = {
  ...state,
  isReloadNeeded: false,
  mainPid: 0,
  sinceSeconds: 0,
  revision: undefined,
  status: '',
  replacedLibraries: [],
}
const root = { owner: 'root', group: 'root', mode: '0644' } as const

type Row = Readonly<{
  name: string
  resource: Resource
  facts: readonly FactRow[]
  isWithData?: boolean
  actions: readonly string[]
}>
const rows: readonly Row[] = [
  {
    name: 'a file that is ours by its name',
    resource: file({ path: '/etc/sudoers.d/tappass', content: '', ...root }),
    facts: [is('/etc/sudoers.d/tappass', 'file'), record()],
    actions: ['remove /etc/sudoers.d/tappass'],
  },
  {
    name: 'a file that was not there before us',
    resource: file({ path: '/etc/apt/keyrings/docker.asc', content: '', ...root }),
    facts: [is('/etc/apt/keyrings/docker.asc', 'file'), record('path /etc/apt/keyrings/docker.asc')],
    actions: ['remove /etc/apt/keyrings/docker.asc'],
  },
  {
    name: 'a file of which nobody knows whether it was there: it stays',
    resource: file({ path: '/etc/apt/keyrings/docker.asc', content: '', ...root }),
    facts: [is('/etc/apt/keyrings/docker.asc', 'file'), record()],
    actions: [],
  },
  {
    name: 'a file in a folder that is ours alone goes with it',
    resource: file({ path: '/etc/tappass/Caddyfile', content: '', ...root }),
    facts: [],
    actions: [],
  },
  {
    name: 'a folder that is ours alone',
    resource: directory({ path: '/opt/tappass', ...root }),
    facts: [is('/opt/tappass', 'directory'), record()],
    actions: ['remove /opt/tappass'],
  },
  {
    name: 'a folder among others, made by us',
    resource: directory({ path: '/etc/docker', ...root }),
    facts: [is('/etc/docker', 'directory'), record('path /etc/docker')],
    actions: ['remove /etc/docker if it is empty'],
  },
  {
    name: 'a folder among others, which was there',
    resource: directory({ path: '/etc/docker', ...root }),
    facts: [is('/etc/docker', 'directory'), record('path /etc/dockers')],
    actions: [],
  },
  {
    name: 'data without the word for them',
    resource: directory({ path: '/var/lib/tappass', ...root }),
    facts: [],
    actions: [],
  },
  {
    name: 'data with it',
    resource: directory({ path: '/var/lib/tappass', ...root }),
    facts: [is('/var/lib/tappass', 'directory'), record()],
    isWithData: true,
    actions: ['remove /var/lib/tappass: database, ledger, backups'],
  },
  { name: 'secrets without the word for data', resource: storedSecrets(['a']), facts: [], actions: [] },
  {
    name: 'secrets with it, and a folder that came with them',
    resource: storedSecrets(['a', 'b']),
    facts: [
      is('/etc/credstore.encrypted/a', 'file'),
      ...['/etc/credstore/a', '/etc/credstore.encrypted/b', '/etc/credstore/b'].map((path) =>
        factRow(pathFact(path), { kind: 'absent' }),
      ),
      record('path /etc/credstore.encrypted'),
    ],
    isWithData: true,
    actions: ['remove 1 secrets: a'],
  },
  {
    name: 'an account that owns data stays as long as they do',
    resource: account({ name: 'tappass', isSystem: true }),
    facts: [ours, record()],
    actions: [],
  },
  {
    name: 'an account that owned data',
    resource: account({ name: 'tappass', isSystem: true }),
    facts: [ours, record()],
    isWithData: true,
    actions: ['remove account tappass'],
  },
  {
    name: 'the deploy user, who was there',
    resource: account({ name: 'ada', isSystem: false }),
    facts: [person, record()],
    isWithData: true,
    actions: [],
  },
  {
    name: 'the deploy user, whom we made',
    resource: account({ name: 'ada', isSystem: false }),
    facts: [person, record('account ada')],
    actions: ['remove account ada'],
  },
  {
    name: 'packages',
    resource: aptPackage({ id: 'x', names: ['curl'], waiting: '', before: { install: '', removal: 'stop' } }),
    facts: [factRow(removablePackagesFact, ['curl', 'libcurl4'])],
    actions: ['remove 2 packages: curl libcurl4'],
  },
  {
    name: 'packages of a resource that has nothing to do before they go: the one that has takes all away',
    resource: aptPackage({ id: 'x', names: ['curl'], waiting: '' }),
    facts: [factRow(removablePackagesFact, ['curl', 'libcurl4'])],
    actions: [],
  },
  {
    name: 'packages that were there, or that others need',
    resource: aptPackage({ id: 'x', names: ['curl'], waiting: '', before: { install: '', removal: 'stop' } }),
    facts: [factRow(removablePackagesFact, [])],
    actions: [],
  },
  {
    name: 'a link to somewhere else',
    resource: link({ path: '/usr/local/bin/x', target: '/opt/tappass/current/x', ownedFolder: '/opt/tappass' }),
    facts: [factRow(targetFact('/usr/local/bin/x'), '/opt/other/x')],
    actions: [],
  },
  {
    name: 'a unit that runs',
    resource: unit({ name: 'tappass.target', content: '' }),
    facts: [is('/etc/systemd/system/tappass.target', 'file'), factRow(unitFact('tappass.target'), unitState)],
    actions: ['stop and remove tappass.target'],
  },
  {
    name: 'a unit without a file that runs still',
    resource: unit({ name: 'tappass.target', content: '' }),
    facts: [
      factRow(pathFact('/etc/systemd/system/tappass.target'), { kind: 'absent' }),
      factRow(unitFact('tappass.target'), { ...unitState, active: 'failed', enabled: '' }),
    ],
    actions: ['stop and remove tappass.target'],
  },
  { name: 'a unit of another package', resource: unit({ name: 'docker.service' }), facts: [], actions: [] },
  {
    name: 'the file of a template: what runs of it are resources of their own',
    resource: unit({ name: 'tappass-opa@.service', content: '' }),
    facts: [is('/etc/systemd/system/tappass-opa@.service', 'file'), record()],
    actions: ['remove /etc/systemd/system/tappass-opa@.service'],
  },
]

describe('absence', () => {
  for (const { name, resource, facts, isWithData = false, actions } of rows)
    test(name, async () => {
      const changes = (await resource.absent?.(factReaderOf(facts), { isWithData })) ?? []
      assert.deepEqual(
        changes.map(({ action }) => action),
        actions,
      )
    })
})
