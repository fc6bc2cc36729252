/** Hosts and their specifications, from what was typed and from files. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Invocation } from '../../../scripts/command-line/invocation.ts'
import { SPEC_OPTIONS } from '../../../scripts/command-line/option.ts'
import { readSshAccess } from '../../../scripts/connection/ssh-access.ts'
import type { Failure } from '../../../scripts/core/failure.ts'
import { readTargets } from '../../../scripts/inventory/target.ts'
import { ROLE_NAMES } from '../../../scripts/recipe.ts'
import { ROLE_OF_OPTION, selectResources } from '../../../scripts/spec/role-selection.ts'
import { createMeasurements, readHostSpec, readParsedSpec } from '../../../scripts/spec/spec-reader.ts'
import { scratch } from '../known-host.ts'

const root = join(import.meta.dirname, '../../..')
const typed = (
  workingFolder: string,
  options: Invocation['options'],
  environment: Record<string, string> = {},
): Invocation =>
  ({
    verb: { name: 'plan', summary: '', options: [] },
    options,
    environment,
    workingFolder,
    root,
    nowMs: Date.now,
  }) as unknown as Invocation

test('targets: this machine when none is named', async () => {
  assert.deepEqual(await readTargets(typed('/w', { config: 'host.yaml' })), [
    { name: 'this host', address: undefined, config: '/w/host.yaml' },
  ])
})

test('targets: hosts and the inventory, each once, each with its own specification', async (context) => {
  const folder = scratch(context)
  writeFileSync(
    join(folder, 'hosts.yaml'),
    'hosts:\n  - address: root@b\n  - { address: root@c, config: c.yaml }\n  - address: root@a\n',
  )
  const targets = await readTargets(
    typed('/w', { host: ['root@a', 'root@a:22'], inventory: join(folder, 'hosts.yaml'), config: 'all.yaml' }),
  )
  assert.deepEqual(
    targets.map(({ name, config }) => [name, config]),
    [
      ['root@a', '/w/all.yaml'],
      ['root@b', '/w/all.yaml'],
      ['root@c', join(folder, 'c.yaml')],
    ],
  )
})

const GROUPED = `
groups: { europe: { settings: { instances: 3 } }, canary: {} }
hosts:
  - { address: root@a, groups: [europe, canary], secrets: { openai-api-key: key.txt } }
  - { address: root@b, groups: [europe], settings: { domain: b.example } }
  - { address: root@c }
`

test('targets: what the inventory says of a host, also where --host names it', async (context) => {
  const folder = scratch(context)
  const inventory = join(folder, 'hosts.yaml')
  writeFileSync(inventory, GROUPED)
  const targets = await readTargets(typed('/w', { host: ['root@b', 'root@d'], inventory, config: 'all.yaml' }))
  const config = '/w/all.yaml'
  assert.deepEqual(
    targets.map(({ name, config: file, own, groups }) => [name, file, own?.settings, own?.secrets, groups]),
    [
      ['root@b', config, { instances: 3, domain: 'b.example' }, {}, ['europe']],
      ['root@d', config, undefined, undefined, undefined],
      ['root@a', config, { instances: 3 }, { 'openai-api-key': join(folder, 'key.txt') }, ['europe', 'canary']],
      ['root@c', config, undefined, undefined, undefined],
    ],
  )
})

const groupLimits: readonly (readonly [limit: readonly string[], names: readonly string[] | RegExp])[] = [
  [['europe'], ['root@a', 'root@b']],
  [['canary'], ['root@a']],
  [
    ['canary', 'c'],
    ['root@a', 'root@c'],
  ],
  [['eurpe'], /--limit europe/],
  [['ops@europe'], /names none of the hosts/],
]
for (const [limit, names] of groupLimits) {
  test(`targets: groups: --limit ${limit.join(', ')}`, async (context) => {
    const inventory = join(scratch(context), 'hosts.yaml')
    writeFileSync(inventory, GROUPED)
    const reading = readTargets(typed('/w', { inventory, limit }))
    if (names instanceof RegExp)
      await assert.rejects(reading, ({ text }: Failure) => names.test(`${text.what} ${text.next}`))
    else
      assert.deepEqual(
        (await reading).map(({ name }) => name),
        names,
      )
  })
}

const limits: readonly (readonly [limit: readonly string[], names: readonly string[] | RegExp])[] = [
  [[], ['root@a', 'root@b', 'ops@b:2222', 'root@[::1]']],
  [['a'], ['root@a']],
  [['b'], ['root@b', 'ops@b:2222']],
  [['root@b'], ['root@b']],
  [['b:2222'], ['ops@b:2222']],
  [
    ['b:22', 'root@a'],
    ['root@a', 'root@b'],
  ],
  [['[::1]'], ['root@[::1]']],
  [['c'], /names none of the hosts/],
  [['a', 'root@c'], /names none of the hosts/],
  [['ops@a'], /names none of the hosts/],
  [['a b'], /is not a host address/],
]
for (const [limit, names] of limits) {
  test(`targets: --limit ${limit.join(', ') || '(none)'}`, async () => {
    const host = ['root@a', 'root@b', 'ops@b:2222', 'root@[::1]']
    const reading = readTargets(typed('/w', { host, limit }))
    if (names instanceof RegExp) await assert.rejects(reading, { code: 64, message: names })
    else
      assert.deepEqual(
        (await reading).map(({ name }) => name),
        names,
      )
  })
}

test('targets: --limit without hosts', async () => {
  await assert.rejects(readTargets(typed('/w', { limit: ['a'] })), { code: 64, message: /none is given/ })
})

test('targets: an inventory that is not there', async () => {
  await assert.rejects(readTargets(typed('/w', { inventory: 'none.yaml' })), {
    code: 64,
    message: 'cannot read /w/none.yaml',
  })
})

test('spec: options win over what is written', async (context) => {
  const folder = scratch(context)
  writeFileSync(
    join(folder, 'host.yaml'),
    'domain: a.example\ngateway: { upstream: "https://a.example/v1", callsMax: 7 }\n',
  )
  const [target] = await readTargets(typed(folder, { config: 'host.yaml' }))
  assert.ok(target)
  const spec = await readParsedSpec(typed(folder, { domain: 'b.example', upstream: 'https://b.example/v1' }), target)
  assert.deepEqual(
    [spec.domain, spec.gateway.upstream, spec.gateway.callsMax, spec.tls],
    ['b.example', 'https://b.example/v1', 7, 'public'],
  )
})

const bare = { name: 'root@a', address: undefined, config: undefined }
const currentSettings = 'domain: a.example\ntls: internal\ninstances: 3\n'
const kept: readonly (readonly [
  name: string,
  options: Invocation['options'],
  settings: string | undefined,
  is: unknown,
])[] = [
  ['no current settings: the defaults', {}, undefined, [undefined, 'internal', 2]],
  ['current settings: they stay', {}, currentSettings, ['a.example', 'internal', 3]],
  ['an option on top', { domain: 'a.example' }, currentSettings, ['a.example', 'internal', 3]],
  ['another domain: tls is determined again', { domain: 'b.example' }, currentSettings, ['b.example', 'public', 3]],
]

for (const [name, options, settings, is] of kept) {
  test(`spec: without --config, ${name}`, async () => {
    const { domain, tls, instances } = await readParsedSpec(typed('/', options), bare, settings)
    assert.deepEqual([domain, tls, instances], is)
  })
}

const layered: readonly (readonly [
  name: string,
  options: Invocation['options'],
  config: string | undefined,
  is: unknown,
])[] = [
  ['over its file', {}, 'instances: 2\ngateway: { callsMax: 7 }\n', ['b.example', 5, 7, 'public']],
  ['over the current settings', {}, undefined, ['b.example', 5, 9, 'public']],
  ['under an option', { domain: 'c.example' }, 'instances: 2\n', ['c.example', 5, 60000, 'public']],
]

for (const [name, options, text, is] of layered) {
  test(`spec: what an inventory says of a host lies ${name}`, async (context) => {
    const config = text === undefined ? undefined : join(scratch(context), 'host.yaml')
    if (config !== undefined) writeFileSync(config, text ?? '')
    const own = { where: 'hosts.yaml of root@b', settings: { domain: 'b.example', instances: 5 }, secrets: {} }
    const now = 'domain: a.example\ntls: internal\ninstances: 3\ngateway: { callsMax: 9 }\n'
    const { domain, instances, gateway, tls } = await readParsedSpec(typed('/', options), { config, own }, now)
    assert.deepEqual([domain, instances, gateway.callsMax, tls], is)
  })
}

test('spec: where the merged settings contradict each other both places are named', async (context) => {
  const config = join(scratch(context), 'host.yaml')
  writeFileSync(config, 'postgres: { maxConnections: 20 }\n')
  const own = { where: 'hosts.yaml of root@b', settings: { instances: 9 }, secrets: {} }
  await assert.rejects(readParsedSpec(typed('/', {}), { config, own }), {
    code: 64,
    message: `${config} with what hosts.yaml of root@b says is not a valid host specification`,
  })
})

test('secrets: a host has its own, those of the command line come first', async (context) => {
  const folder = scratch(context)
  for (const name of ['own', 'typed', 'license']) writeFileSync(join(folder, name), `sk-${name}\n`)
  const measurements = createMeasurements(typed(folder, { secret: ['openai-api-key=typed'] }))
  const valuesOf = async (files?: Record<string, string>) =>
    Object.entries(await measurements.secrets(files)).map(([id, { readValue }]) => [id, readValue()])
  assert.deepEqual(await valuesOf(), [['openai-api-key', 'sk-typed']])
  const own = { 'openai-api-key': join(folder, 'own'), 'anthropic-api-key': join(folder, 'license') }
  assert.deepEqual(await valuesOf(own), [
    ['openai-api-key', 'sk-typed'],
    ['anthropic-api-key', 'sk-license'],
  ])
  await assert.rejects(valuesOf({ 'openai-api-key': '/none' }), { code: 64, message: 'cannot read /none' })
})

test('spec: --config overrides the current settings', async (context) => {
  const config = join(scratch(context), 'host.yaml')
  writeFileSync(config, '')
  assert.equal((await readParsedSpec(typed('/', {}), { ...bare, config }, currentSettings)).instances, 2)
})

for (const [name, settings, says] of [
  ['names files of the controller', 'caddy: { archive: /root/.ssh/id_ed25519 }\n', /names files of the controller/],
  ['names a file of wheels', 'site: { wheels: /root/w.tar.gz }\n', /names files of the controller \(site\)/],
  ['names an image file', 'images: { redis: { archive: /root/r.tar } }\n', /names files of the controller \(images\)/],
  ['is not YAML', 'a: [\n', /tappass\.yaml is not valid YAML/],
  ['has an unknown key', 'instance: 3\n', /tappass\.yaml is not a valid host specification/],
] as const) {
  test(`spec: current settings: ${name}: a usage failure`, async () => {
    await assert.rejects(
      readParsedSpec(typed('/', {}), bare, settings),
      (error: Error & { code: number }) => error.code === 64 && says.test(error.message),
    )
  })
}

test('spec: problems are reported with their file', async (context) => {
  const folder = scratch(context)
  writeFileSync(join(folder, 'host.yaml'), 'instance: 3\n')
  const [target] = await readTargets(typed(folder, { config: 'host.yaml' }))
  assert.ok(target)
  await assert.rejects(readParsedSpec(typed(folder, {}), target), (error: Error & { text: { why: string } }) => {
    assert.match(error.message, /host\.yaml is not a valid host specification/)
    return /did you mean "instances"/.test(error.text.why)
  })
})

const misnamed = [
  { option: 'domain', value: 'nonsense', says: '"--domain" must be a domain name, not "nonsense"' },
  { option: 'upstream', value: 'ftp://m', says: '"--upstream" must be an http(s) URL, not "ftp://m"' },
] as const

for (const { option, value, says } of misnamed) {
  test(`spec: a bad --${option} is the option's fault, whatever it is put on top of`, async (context) => {
    const config = join(scratch(context), 'host.yaml')
    writeFileSync(config, 'instances: 3\n')
    for (const [target, settings] of [
      [bare, undefined],
      [bare, currentSettings],
      [{ ...bare, config }, undefined],
    ] as const) {
      await assert.rejects(
        readParsedSpec(typed('/', { [option]: value }), target, settings),
        (error: Error & { code: number; text: { next: string } }) => {
          assert.deepEqual([error.code, error.message], [64, says])
          return error.text.next.startsWith(`tappass plan --${option} `)
        },
      )
    }
  })
}

test('spec: archives are relative to the file that names them, and measured', async (context) => {
  const folder = scratch(context)
  writeFileSync(join(folder, 'host.yaml'), 'node: { archive: node.tar.gz }\n')
  writeFileSync(join(folder, 'node.tar.gz'), 'x')
  const [target] = await readTargets(typed(folder, { config: 'host.yaml' }))
  assert.ok(target)
  const spec = await readHostSpec(typed('/elsewhere', {}), target)
  assert.equal(spec.node.archive?.file, join(folder, 'node.tar.gz'))
  assert.equal(spec.node.archive?.sha256, '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881')
  assert.match(spec.release.version, /^\d+\.\d+\.\d+-[0-9a-f]{12}$/)
})

test('spec: what is sent to all hosts of a run is measured and packed once', async (context) => {
  const folder = scratch(context)
  writeFileSync(join(folder, 'host.yaml'), 'node: { archive: node.tar.gz }\n')
  writeFileSync(join(folder, 'node.tar.gz'), 'x')
  const measurements = createMeasurements(typed(folder, {}))
  const read = () => readHostSpec(typed(folder, {}), { config: join(folder, 'host.yaml') }, undefined, measurements)
  const first = await read()
  writeFileSync(join(folder, 'node.tar.gz'), 'y')
  const second = await read()
  assert.equal(second.release, first.release)
  assert.deepEqual(second.node, first.node)
  const packed: Uint8Array[] = []
  for (const { release } of [first, second]) for await (const chunk of release.open()) packed.push(chunk)
  assert.equal(packed.length, 2)
  assert.equal(packed[1], packed[0], 'the very same bytes in memory')
})

test('roles: all, some in the order of the recipe, and one that there is not', () => {
  const resource = (id: string) => ({ id, plan: async () => [] })
  const chapters = ['a', 'gateway'].map((role) => ({ role, resources: [resource(`${role}1`), resource(`${role}2`)] }))
  const ids = (only: readonly string[]) => selectResources(chapters, typed('/', { only })).map(({ id }) => id)
  assert.deepEqual(ids([]), ['a1', 'a2', 'gateway1', 'gateway2'])
  assert.deepEqual(ids(['gateway', 'a']), ['a1', 'a2', 'gateway1', 'gateway2'])
  assert.deepEqual(ids(['gateway']), ['gateway1', 'gateway2'])
  assert.throws(
    () => ids(['gatway']),
    (error: Error & { code: number; text: { next: string } }) =>
      error.code === 64 && error.text.next.includes('--only gateway'),
  )
})

const chapters = ['secrets', 'gateway', 'ingress'].map((role) => ({ role, resources: [] }))
const leftOut = [
  { option: 'secret', value: ['openai-api-key=key'], role: 'secrets', only: ['gateway', 'ingress'] },
  { option: 'domain', value: 'gw.example.com', role: 'ingress', only: ['gateway'] },
  { option: 'upstream', value: 'https://m.example/v1', role: 'gateway', only: ['ingress'] },
] as const

for (const { option, value, role, only } of leftOut) {
  test(`roles: --${option} without its role ${role} is a usage failure, with it or with all it is none`, () => {
    assert.throws(
      () => selectResources(chapters, typed('/', { only, [option]: value })),
      (error: Error & { code: number; text: { next: string } }) => {
        assert.equal(error.code, 64)
        assert.equal(error.message, `"--${option}" belongs to the role ${role}, which --only excludes`)
        assert.match(error.text.next, new RegExp(`^tappass plan .*--only ${role}$`))
        return true
      },
    )
    assert.deepEqual(selectResources(chapters, typed('/', { only: [...only, role], [option]: value })), [])
    assert.deepEqual(selectResources(chapters, typed('/', { [option]: value })), [])
  })
}

test('roles: every option that says what a host should be has its role, and the recipe has that role', () => {
  const options = SPEC_OPTIONS.map(({ name }) => name).filter((name) => name !== 'only')
  assert.deepEqual(Object.keys(ROLE_OF_OPTION).toSorted(), options.toSorted())
  for (const role of Object.values(ROLE_OF_OPTION)) assert.ok(ROLE_NAMES.includes(role), role)
})

test('SSH access: what was given, or what ssh takes', (context) => {
  const home = scratch(context)
  const { nowMs: _, ...given } = readSshAccess(
    typed('/w', { identity: 'key', 'known-hosts': 'known' }, { HOME: home, SSH_AUTH_SOCK: '/agent' }),
  )
  assert.deepEqual(given, {
    identities: ['/w/key'],
    isUsual: false,
    agent: undefined,
    knownHosts: ['/w/known'],
    shouldAcceptNewKey: false,
  })
  const { nowMs: __, ...usual } = readSshAccess(
    typed('/w', { 'accept-new-host-key': true }, { HOME: home, SSH_AUTH_SOCK: '/agent' }),
  )
  assert.deepEqual(usual, {
    identities: [],
    isUsual: true,
    agent: '/agent',
    knownHosts: [join(home, '.ssh/known_hosts'), '/etc/ssh/ssh_known_hosts'],
    shouldAcceptNewKey: true,
  })
})
