/**
 * The ingress in a firewall that the host's operator keeps with ufw or firewalld: our ports are open there, and closed again when they change.
 * Changes of what is let in are guarded.
 */

import { createHash } from 'node:crypto'
import { changeCommand, scriptCommand } from '../core/command.ts'
import type { Command, GetFact } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { FIREWALLD_SERVICE, type Firewalls, firewallsFact, UFW_PROFILE } from '../facts/firewall.ts'
import { digestFact } from '../facts/path.ts'
import { planFile, ROOT_FILE } from '../files/file-change.ts'
import { REMOVAL_REASON } from '../files/removal.ts'

const PROFILE_PATH = '/etc/ufw/applications.d/tappass'
const SERVICE_PATH = `/etc/firewalld/services/${FIREWALLD_SERVICE}.xml`

/** By protocol, those of TCP first. */
type Ports = Readonly<{ tcp: readonly number[]; udp: readonly number[] }>

const isNone = ({ tcp, udp }: Ports): boolean => tcp.length + udp.length === 0
const NONE: Ports = { tcp: [], udp: [] }

/** As ufw writes them: `80,443/tcp`, and `443/udp`. */
const listsOf = ({ tcp, udp }: Ports): readonly string[] => [
  ...(tcp.length === 0 ? [] : [`${tcp.join(',')}/tcp`]),
  ...(udp.length === 0 ? [] : [`${udp.join(',')}/udp`]),
]

function profileText(ports: Ports): string {
  return `[${UFW_PROFILE}]\ntitle=TapPass\ndescription=The ingress of TapPass; written by the toolkit\nports=${listsOf(ports).join('|')}\n`
}

function serviceText(ports: Ports): string {
  const rows = (['tcp', 'udp'] as const)
    .flatMap((protocol) => ports[protocol].map((port) => `  <port protocol="${protocol}" port="${port}"/>\n`))
    .join('')
  return `<?xml version="1.0" encoding="utf-8"?>\n<!-- Written by the toolkit. -->\n<service>\n  <short>TapPass</short>\n${rows}</service>\n`
}

const UFW_GUARD = {
  paths: [PROFILE_PATH, '/etc/ufw/user.rules', '/etc/ufw/user6.rules'],
  units: [],
  reload: 'ufw reload',
}
const FIREWALLD_GUARD = {
  paths: [SERVICE_PATH, '/etc/firewalld/zones'],
  units: [],
  reload: 'firewall-cmd --reload',
}

type Extra = Pick<Change, 'diff' | 'guard'>

function change(action: string, reason: string, commands: readonly Command[], extra: Extra = {}): readonly Change[] {
  const [first, ...rest] = commands
  return first === undefined ? [] : [{ action, reason, commands: [first, ...rest], ...extra }]
}

/** The file with our ports; its content is read, for the diff, only where it differs. */
async function planText(
  getFact: GetFact,
  path: string,
  content: string,
  digest: string | undefined,
): Promise<readonly Change[]> {
  if (digest === createHash('sha256').update(content).digest('hex')) return []
  return await planFile(getFact, { path, ...ROOT_FILE }, content)
}

/** ufw sorts the ports of a rule, and has one for each protocol. */
function isSame(rules: readonly string[], lists: readonly string[]): boolean {
  const sorted = (each: readonly string[]) => each.map((list) => list.split(/[,/]/).toSorted().join()).toSorted()
  return sorted(rules).join(' ') === sorted(lists).join(' ')
}

const namesOf = ({ tcp, udp }: Ports): string =>
  [...tcp.map((port) => `${port}/tcp`), ...udp.map((port) => `${port}/udp`)].join(' and ')

async function planUfw(
  getFact: GetFact,
  ports: Ports,
  { hasIpv6, ports: now }: NonNullable<Firewalls['ufw']>,
  digest: string | undefined,
): Promise<readonly Change[]> {
  const rules = hasIpv6 ? [now.ipv4, now.ipv6] : [now.ipv4]
  const isThere = rules.some((rule) => rule.length > 0)
  if (isNone(ports)) {
    const remove = isThere ? [changeCommand('ufw', 'delete', 'allow', UFW_PROFILE)] : []
    const commands = digest === undefined ? remove : [...remove, changeCommand('rm', '-f', '--', PROFILE_PATH)]
    return change(`remove the rule ${UFW_PROFILE} from ufw`, 'there is no ingress', commands, { guard: UFW_GUARD })
  }
  const [profile] = await planText(getFact, PROFILE_PATH, profileText(ports), digest)
  const isCurrent = rules.every((rule) => isSame(rule, listsOf(ports)))
  // A rule keeps the ports of the profile as it was when it was added.
  const update = isThere ? [changeCommand('ufw', 'app', 'update', UFW_PROFILE)] : []
  const allow = rules.some((rule) => rule.length === 0) ? [changeCommand('ufw', 'allow', UFW_PROFILE)] : []
  const reason = isThere
    ? `ufw is active, and its rule lets ${(now.ipv4.length > 0 ? now.ipv4 : now.ipv6).join(' and ')} in`
    : 'ufw is active'
  const extra = { guard: UFW_GUARD, ...(profile?.diff === undefined ? {} : { diff: profile.diff }) }
  const commands = [...(profile?.commands ?? []), ...(isCurrent ? [] : [...update, ...allow])]
  return change(`allow ${namesOf(ports)} in ufw`, reason, commands, extra)
}

const RELOAD = changeCommand('firewall-cmd', '--reload')
const permanently = (verb: string): Command =>
  changeCommand('firewall-cmd', '--permanent', `--${verb}-service=${FIREWALLD_SERVICE}`)

/** The rule goes first and comes last, in what is stored only: a run that was ended in between is seen by the next. */
async function planFirewalld(
  getFact: GetFact,
  ports: Ports,
  { isAllowed }: NonNullable<Firewalls['firewalld']>,
  digest: string | undefined,
): Promise<readonly Change[]> {
  const withdraw = isAllowed ? [permanently('remove')] : []
  if (isNone(ports)) {
    const remove = isAllowed ? [...withdraw, RELOAD] : []
    const commands = digest === undefined ? remove : [...remove, changeCommand('rm', '-f', '--', SERVICE_PATH)]
    return change(`remove the service ${FIREWALLD_SERVICE} from firewalld`, 'there is no ingress', commands, {
      guard: FIREWALLD_GUARD,
    })
  }
  const [service] = await planText(getFact, SERVICE_PATH, serviceText(ports), digest)
  if (service === undefined && isAllowed) return []
  const write = service === undefined ? [] : [...withdraw, ...service.commands]
  const commands = [...write, ...(isAllowed ? [] : [RELOAD]), permanently('add'), RELOAD]
  const extra = { guard: FIREWALLD_GUARD, ...(service?.diff === undefined ? {} : { diff: service.diff }) }
  return change(`allow ${namesOf(ports)} in firewalld`, 'firewalld is active', commands, extra)
}

async function factsOf(getFact: GetFact) {
  return await Promise.all([
    getFact(firewallsFact),
    getFact(digestFact(PROFILE_PATH)),
    getFact(digestFact(SERVICE_PATH)),
  ])
}

const unguarded = (changes: readonly Change[]): readonly Change[] =>
  changes.map(({ guard: _, ...each }): Change => each)

/** Also where the tool was turned off since: its rules come back with it. */
async function planFirewallAbsent(getFact: GetFact): Promise<readonly Change[]> {
  const [{ ufw, firewalld }, profile, service] = await factsOf(getFact)
  const inactive = (digest: string | undefined, tool: string, path: string, ...rule: readonly string[]) =>
    digest === undefined
      ? []
      : change(`remove our rule from ${tool}, which is off`, REMOVAL_REASON, [
          scriptCommand('path=$1; shift; "$@" >/dev/null 2>&1 || :; rm -f -- "$path"', [path, ...rule]),
        ])
  return [
    ...(ufw === undefined
      ? inactive(profile, 'ufw', PROFILE_PATH, 'ufw', 'delete', 'allow', UFW_PROFILE)
      : unguarded(await planUfw(getFact, NONE, ufw, profile))),
    ...(firewalld === undefined
      ? inactive(service, 'firewalld', SERVICE_PATH, 'firewall-offline-cmd', `--remove-service=${FIREWALLD_SERVICE}`)
      : unguarded(await planFirewalld(getFact, NONE, firewalld, service))),
  ]
}

/** The ports in the firewall: `ports` of TCP, `udpPorts` of UDP. Where no tool is active, or ports are none and nothing of ours is there, there is nothing to do. */
export function firewall(options: Readonly<{ ports: readonly number[]; udpPorts?: readonly number[] }>): Resource {
  const ports: Ports = { tcp: options.ports, udp: options.udpPorts ?? [] }
  return {
    id: 'firewall:ingress',
    absent: (getFact) => planFirewallAbsent(getFact),
    plan: async (getFact) => {
      const [{ ufw, firewalld }, profile, service] = await factsOf(getFact)
      return [
        ...(ufw === undefined ? [] : await planUfw(getFact, ports, ufw, profile)),
        ...(firewalld === undefined ? [] : await planFirewalld(getFact, ports, firewalld, service)),
      ]
    },
  }
}
