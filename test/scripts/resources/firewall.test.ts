/** The ingress in ufw and firewalld: what the tools have in rows, and what would be done about it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type Firewalls, firewallsFact } from '../../../scripts/facts/firewall.ts'
import { contentFact, digestFact, pathFact } from '../../../scripts/facts/path.ts'
import { firewall } from '../../../scripts/resources/firewall.ts'
import { argvOf, type FactRow, factReaderOf, factRow } from '../known-host.ts'

const paths = { profile: '/etc/ufw/applications.d/tappass', service: '/etc/firewalld/services/tappass.xml' } as const
const none: Firewalls = { ufw: undefined, firewalld: undefined }
/** The ports of its rule for TCP; `udp` those of the one for UDP. */
const ufw = (ipv4?: string, ipv6?: string, hasIpv6 = true, udp?: string): Firewalls => {
  const rules = (tcp: string | undefined) =>
    tcp === undefined ? [] : [`${tcp}/tcp`, ...(udp === undefined ? [] : [`${udp}/udp`])]
  return { ...none, ufw: { hasIpv6, ports: { ipv4: rules(ipv4), ipv6: rules(ipv6) } } }
}
const firewalld = (isAllowed: boolean): Firewalls => ({ ...none, firewalld: { isAllowed } })
const file = { kind: 'file', mode: '0644', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 9 } as const

const fileRows = (path: string, text: string | undefined): readonly FactRow[] => [
  factRow(pathFact(path), text === undefined ? { kind: 'absent' } : file),
  factRow(digestFact(path), text === undefined ? undefined : createHash('sha256').update(text).digest('hex')),
  factRow(contentFact(path), text),
]

/** The text that is written for these ports. */
const written = async (
  ports: readonly number[],
  kind: keyof typeof paths,
  udpPorts: readonly number[] = [],
): Promise<string> => {
  const seen = kind === 'profile' ? ufw() : firewalld(false)
  const rows = [factRow(firewallsFact, seen), ...Object.values(paths).flatMap((path) => fileRows(path, undefined))]
  const changes = await firewall({ ports, udpPorts }).plan(factReaderOf(rows))
  return String(changes.flatMap(({ commands }) => commands).find(({ stdin }) => stdin !== undefined)?.stdin)
}

const web = [80, 443]
const rows: readonly Readonly<{
  name: string
  seen: Firewalls
  ports: readonly number[]
  udpPorts?: readonly number[]
  /** Ports of the file that is there. */
  laid?: readonly number[]
  laidUdp?: readonly number[]
  does: readonly string[]
}>[] = [
  { name: 'no tool is active', seen: none, ports: web, does: [] },
  { name: 'no tool, and an older file', seen: none, ports: web, laid: [1, 2], does: [] },
  { name: 'ufw for the first time', seen: ufw(), ports: web, does: ['write', 'ufw allow TapPass'] },
  { name: 'ufw has it', seen: ufw('80,443', '80,443'), ports: web, laid: web, does: [] },
  { name: 'ufw without IPv6 has it', seen: ufw('80,443', undefined, false), ports: web, laid: web, does: [] },
  { name: 'ufw, cut off after the file', seen: ufw(), ports: web, laid: web, does: ['ufw allow TapPass'] },
  {
    name: 'ufw got IPv6 since',
    seen: ufw('80,443'),
    ports: web,
    laid: web,
    does: ['ufw app update TapPass', 'ufw allow TapPass'],
  },
  {
    name: 'ufw has it, and has sorted the ports',
    seen: ufw('443,8080', '443,8080'),
    ports: [8080, 443],
    laid: [8080, 443],
    does: [],
  },
  {
    name: 'ufw, other ports',
    seen: ufw('80,443', '80,443'),
    ports: [8080, 8443],
    laid: web,
    does: ['write', 'ufw app update TapPass'],
  },
  {
    name: 'ufw, other ports, cut off after the file',
    seen: ufw('80,443', '80,443'),
    ports: [8080, 8443],
    laid: [8080, 8443],
    does: ['ufw app update TapPass'],
  },
  {
    name: 'ufw, no ingress any more',
    seen: ufw('80,443', '80,443'),
    ports: [],
    laid: web,
    does: ['ufw delete allow TapPass', `rm -f -- ${paths.profile}`],
  },
  {
    name: 'ufw with HTTP/3 has it',
    seen: ufw('80,443', '80,443', true, '443'),
    ...{ ports: web, udpPorts: [443], laid: web, laidUdp: [443] },
    does: [],
  },
  {
    name: 'ufw, HTTP/3 is new',
    seen: ufw('80,443', '80,443'),
    ...{ ports: web, udpPorts: [443], laid: web },
    does: ['write', 'ufw app update TapPass'],
  },
  { name: 'ufw, never an ingress', seen: ufw(), ports: [], does: [] },
  {
    name: 'firewalld for the first time',
    seen: firewalld(false),
    ports: web,
    does: ['write', 'firewall-cmd --reload', 'firewall-cmd --permanent --add-service=tappass', 'firewall-cmd --reload'],
  },
  { name: 'firewalld has it', seen: firewalld(true), ports: web, laid: web, does: [] },
  {
    name: 'firewalld, other ports',
    seen: firewalld(true),
    ports: [8080, 8443],
    laid: web,
    does: [
      'firewall-cmd --permanent --remove-service=tappass',
      'write',
      'firewall-cmd --permanent --add-service=tappass',
      'firewall-cmd --reload',
    ],
  },
  {
    name: 'firewalld, no ingress any more',
    seen: firewalld(true),
    ports: [],
    laid: web,
    does: ['firewall-cmd --permanent --remove-service=tappass', 'firewall-cmd --reload', `rm -f -- ${paths.service}`],
  },
]

for (const { name, seen, ports, udpPorts = [], laid, laidUdp, does } of rows) {
  test(`firewall: ${name}`, async () => {
    const texts = async (kind: keyof typeof paths) =>
      fileRows(paths[kind], laid && (await written(laid, kind, laidUdp)))
    const facts = [factRow(firewallsFact, seen), ...(await texts('profile')), ...(await texts('service'))]
    const lines = argvOf(await firewall({ ports, udpPorts }).plan(factReaderOf(facts)))
      .map((argv) => (argv[0] === 'sh' ? 'write' : argv.join(' ')))
      .filter((line, index, all) => line !== 'write' || all[index - 1] !== 'write')
    assert.deepEqual(lines, does)
  })
}

test('firewall: what the tools are told', async () => {
  assert.match(await written(web, 'profile'), /^\[TapPass\]\ntitle=.*\ndescription=.*\nports=80,443\/tcp\n$/)
  assert.match(await written(web, 'profile', [443]), /^ports=80,443\/tcp\|443\/udp$/m)
  assert.match(
    await written(web, 'service', [443]),
    /protocol="tcp" port="443"\/>\n.*protocol="udp" port="443"\/>\n<\/service>/,
  )
  assert.match(await written([8080, 8443], 'service'), /port="8080"\/>\n.*port="8443"\/>\n<\/service>/)
})

const answers = [
  ['', none],
  ['ufw\n', ufw(undefined, undefined, false)],
  [
    'ufw\nufw-ipv6\nufw-rule 80,443/tcp\nufw-rule 443/udp\nufw-rule6 80,443/tcp\nufw-rule6 443/udp\n',
    ufw('80,443', '80,443', true, '443'),
  ],
  ['firewalld\n', firewalld(false)],
  ['firewalld\nfirewalld-rule\n', firewalld(true)],
] as const

for (const [stdout, firewalls] of answers) {
  test(`firewall: ${JSON.stringify(stdout)} is understood`, () =>
    assert.deepEqual(firewallsFact.parse({ code: 0, stdout, stderr: '' }), firewalls))
}
