/** The packet filter of a host: when it is loaded, exchanged, removed, and when it would close what somebody uses. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { GetFact } from '../../../scripts/core/host.ts'
import { type Firewalls, firewallsFact } from '../../../scripts/facts/firewall.ts'
import { contentFact, digestFact, pathFact } from '../../../scripts/facts/path.ts'
import { type UnitState, unitFact } from '../../../scripts/facts/unit.ts'
import { type ExposedPorts, exposedPortsFact } from '../../../scripts/firewall/exposed-port.ts'
import { type LoadedFilter, loadedFilterFact } from '../../../scripts/firewall/loaded-filter.ts'
import { ingressOpening, packetFilter } from '../../../scripts/resources/packet-filter.ts'
import { type FactRow, factReaderOf, factRow } from '../known-host.ts'
import { RUNNING_UNIT } from '../running-unit.ts'

const [PATH, UNIT] = ['/etc/tappass/firewall.nft', '/etc/systemd/system/tappass-firewall.service']
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const options = {
  content: (ssh: readonly number[]) => `rules for ${ssh.join(' ')}\n`,
  unit: '[Service]\n',
  isAllowed: ({ port }: { port: number }) => port === 443,
  ingress: [443],
  isOutboundClosed: false,
  commandsFor: (_tool: string): readonly string[] => [],
}
const rules = options.content([22])

type Host = Readonly<{
  tools?: Partial<Firewalls>
  loaded?: LoadedFilter
  exposed?: ExposedPorts
  files?: Readonly<{ rules?: string; unit?: string }>
  unit?: Partial<UnitState>
}>

const bare: Host = {}
const ours: Host = {
  loaded: { state: 'loaded', digest: sha256(rules) },
  files: { rules, unit: options.unit },
  unit: { ...RUNNING_UNIT, name: 'tappass-firewall.service', enabled: 'enabled' },
}

const fileRows = (path: string, text: string | undefined): readonly FactRow[] => [
  factRow(
    pathFact(path),
    text === undefined
      ? { kind: 'absent' }
      : { kind: 'file', mode: '0644', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: text.length },
  ),
  factRow(digestFact(path), text === undefined ? undefined : sha256(text)),
  factRow(contentFact(path), text),
]

const readerOn = ({ tools, loaded, exposed, files, unit }: Host): GetFact =>
  factReaderOf([
    factRow(firewallsFact, { ufw: undefined, firewalld: undefined, ...tools }),
    factRow(loadedFilterFact, loaded ?? { state: 'absent', digest: undefined }),
    factRow(exposedPortsFact, exposed ?? { ssh: [22], others: [] }),
    factRow(unitFact('tappass-firewall.service'), {
      ...RUNNING_UNIT,
      load: 'not-found',
      active: 'inactive',
      enabled: '',
      ...unit,
    }),
    ...fileRows(PATH, files?.rules),
    ...fileRows(UNIT, files?.unit),
  ])

const planOn = (host: Host, wanted: typeof options | undefined) => packetFilter(wanted).plan(readerOn(host))

const LAST = 'systemctl reload-or-restart tappass-firewall.service'
const rows: readonly (readonly [name: string, host: Host, wanted: typeof options | undefined, reason?: RegExp])[] = [
  ['a bare host', bare, options, /no rules of ours/],
  ['as it should be', ours, options],
  [
    'a rule was added by hand',
    { ...ours, loaded: { state: 'edited', digest: sha256(rules) } },
    options,
    /somebody changed/,
  ],
  [
    'the whole ruleset was emptied, and others listen behind it',
    {
      ...ours,
      loaded: { state: 'absent', digest: undefined },
      exposed: { ssh: [22], others: [{ protocol: 'tcp', port: 25, program: 'x' }] },
    },
    options,
    /no rules/,
  ],
  ['the whole ruleset was emptied', { ...ours, loaded: { state: 'absent', digest: undefined } }, options, /no rules/],
  [
    'the file was exchanged and not loaded',
    { ...ours, loaded: { state: 'loaded', digest: sha256('') } },
    options,
    /older/,
  ],
  ['sshd has moved', { ...ours, exposed: { ssh: [2222], others: [] } }, options, /older rules/],
  ['the unit was disabled', { ...ours, unit: { ...ours.unit, enabled: 'disabled' } }, options, /disabled/],
  ['the unit failed', { ...ours, unit: { ...ours.unit, active: 'failed' } }, options, /failed/],
  [
    'an open port that is let in',
    { ...bare, exposed: { ssh: [22], others: [{ protocol: 'tcp', port: 443, program: 'x' }] } },
    options,
    /no rules/,
  ],
  [
    'a new program behind the rules',
    { ...ours, exposed: { ssh: [22], others: [{ protocol: 'tcp', port: 25, program: 'x' }] } },
    options,
  ],
  ['none is wanted, none is there', bare, undefined],
  ['none is wanted any more', ours, undefined, /the setting firewall is none/],
  ['ufw is active', { ...bare, tools: { ufw: { hasIpv6: true, ports: { ipv4: [], ipv6: [] } } } }, options],
  ['the unit alone is left', { ...bare, unit: { active: 'active' } }, undefined, /the setting firewall is none/],
  ['firewalld came later', { ...ours, tools: { firewalld: { isAllowed: true } } }, options, /firewalld is active/],
]

for (const [name, host, wanted, reason] of rows) {
  test(`packet filter: ${name}`, async () => {
    const changes = await planOn(host, wanted)
    assert.equal(changes.length, reason === undefined ? 0 : 1)
    const [change] = changes
    if (change === undefined) return
    assert.match(change.reason, reason ?? /^$/)
    assert.deepEqual(change.guard?.units, ['tappass-firewall.service'])
    assert.ok(change.guard?.paths.includes(PATH) && change.guard.paths.includes(UNIT))
    const last = change.commands.at(-1)?.argv.join(' ') ?? ''
    assert.ok(change.action.startsWith('remove') || last === LAST, last)
  })
}

test('packet filter: the candidate is checked before it is in place', async () => {
  const [change] = await planOn(bare, options)
  const argv = change?.commands.map((command) => command.argv.join(' ')) ?? []
  const check = argv.findIndex((line) => line.startsWith('/usr/sbin/nft -c -f /etc/tappass/.firewall.nft'))
  assert.ok(check > 0 && check < argv.findIndex((line) => line.includes('mv -fT')))
})

test('packet filter: everything is asked in one turn', async () => {
  let turns = 0
  let answered = Promise.resolve()
  let isOpen = false
  const turnsOf =
    (reader: GetFact): GetFact =>
    async (fact) => {
      if (!isOpen) {
        turns++
        answered = new Promise((resolve) => setImmediate(resolve))
        answered.then(() => (isOpen = false))
      }
      isOpen = true
      await answered
      return await reader(fact)
    }
  assert.deepEqual(await packetFilter(options).plan(turnsOf(readerOn(ours))), [])
  assert.equal(turns, 1)
})

const cut: readonly (readonly [name: string, others: ExposedPorts['others'], what: RegExp, next: RegExp])[] = [
  [
    'programs and the kernel',
    [
      { protocol: 'tcp', port: 8080, program: 'nginx' },
      { protocol: 'udp', port: 51820, program: '' },
    ],
    /8080\/tcp \(nginx\), 51820\/udp$/,
    /firewall: \{ allow: \[\{ port: 8080 \}, \{ port: 51820, protocol: udp \}\] \}/,
  ],
  [
    'a protocol without ports, for which there is no setting',
    [{ protocol: 'raw', port: 112, program: 'keepalived' }],
    /in use: protocol 112 \(keepalived\)$/,
    /^in host.yaml, close none: "firewall: none"; or stop those programs$/,
  ],
  [
    'more than anybody reads',
    Array.from({ length: 30 }, (_, index) => ({ protocol: 'tcp', port: 8000 + index, program: '' }) as const),
    /8019\/tcp, and 10 more$/,
    /\{ port: 8019 \}, and 10 more\]/,
  ],
]

for (const [name, others, what, next] of cut) {
  test(`packet filter: what would be closed is named with the settings that keep it: ${name}`, async () => {
    const isAsExpected = (error: Error & { code: number; text: { next: string } }) => {
      assert.equal(error.code, 5)
      assert.match(error.message, what)
      assert.match(error.text.next, next)
      return true
    }
    await assert.rejects(planOn({ exposed: { ssh: [22], others } }, options), isAsExpected)
  })
}

test('packet filter: rules that a tool has by hand are named as its commands, and only where it is active', async () => {
  const special = { ...options, commandsFor: (tool: string) => [`${tool} allow x`] }
  await assert.rejects(
    planOn({ tools: { firewalld: { isAllowed: true } } }, special),
    (error: Error & { code: number; text: { next: string } }) => {
      assert.equal(error.code, 5)
      assert.match(error.text.next, /^firewalld allow x /)
      return true
    },
  )
  assert.deepEqual(await planOn(ours, special), [])
})

test('packet filter: what goes out is not closed beside ufw or firewalld', async () => {
  const closing = { ...options, isOutboundClosed: true }
  await assert.rejects(
    planOn({ tools: { firewalld: { isAllowed: true } } }, closing),
    (error: Error & { code: number; text: { next: string } }) => {
      assert.equal(error.code, 5)
      assert.match(error.message, /^firewalld is active, and firewall\.outbound/)
      assert.match(error.text.next, /systemctl disable --now firewalld/)
      return true
    },
  )
  assert.equal((await planOn(bare, closing)).length, 1)
})

const going: readonly (readonly [name: string, host: Host, actions: number])[] = [
  ['nothing is there', bare, 0],
  ['ours', ours, 1],
  ['rules without a unit', { loaded: { state: 'edited', digest: undefined } }, 1],
]

for (const [name, host, actions] of going) {
  test(`packet filter: uninstalled, ${name}: without a guard`, async () => {
    const changes = (await packetFilter(options).absent?.(readerOn(host), { isWithData: false })) ?? []
    assert.deepEqual(
      changes.map(({ action, guard }) => [action, guard]),
      Array.from({ length: actions }, () => ['remove the packet filter', undefined]),
    )
  })
}

const opened = 'table inet tappass {\n    tcp dport { 22, 80, 8443 } accept\n    tcp dport 9000 accept\n'
const openings: readonly (readonly [name: string, host: Host, content: string | undefined])[] = [
  ['there are no rules yet', bare, undefined],
  [
    'all ports of the ingress are open',
    { ...ours, files: { ...ours.files, rules: opened.replace('8443', '443') } },
    undefined,
  ],
  ['one is not: it is let in beside the others', { ...ours, files: { ...ours.files, rules: opened } }, '22 22 80 8443'],
]

for (const [name, host, content] of openings) {
  test(`packet filter: before the ingress moves, ${name}`, async () => {
    const changes = await ingressOpening(options).plan(readerOn(host))
    const written = changes.flatMap(({ commands }) => commands.flatMap(({ stdin }) => stdin ?? []))
    assert.deepEqual(written, content === undefined ? [] : [`rules for ${content}\n`])
    assert.ok(changes.every(({ guard }) => guard !== undefined))
  })
}
