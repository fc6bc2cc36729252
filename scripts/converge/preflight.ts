/** Preflight: what must hold before anything is changed on a host. All problems are reported at once; nothing is changed. */

import { GATEWAY_HOST, GATEWAY_PORT, SPIFFE_PORT } from '../../contract/gateway.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import type { FailureText } from '../core/failure.ts'
import type { Fact, GetFact } from '../core/host.ts'
import { type CalendarAnswer, calendarFact } from '../facts/calendar.ts'
import { DISTRIBUTION_NAMES, isSupported } from '../facts/distribution.ts'
import { type FirstBoot, firstBootFact } from '../facts/first-boot.ts'
import { type HostTraits, hostTraitsFact } from '../facts/host-trait.ts'
import { type Listener, listenersFact } from '../facts/listener.ts'
import { pathFact, targetFact } from '../facts/path.ts'
import { type UnitState, unitFact } from '../facts/unit.ts'
import type { ParsedSpec } from '../spec/host-spec.ts'
import { ingressPorts } from '../spec/ingress-spec.ts'
import type { MemorySettings } from '../spec/memory-limit.ts'
import { memoryRemedy } from '../spec/memory-remedy.ts'

/** The facts of the preflight. `clockMs` is the clock of the host; sizes are megabytes (2^20 bytes). */
export type PreflightFacts = Readonly<{
  uid: number | undefined
  traits: HostTraits
  isSystemdRunning: boolean
  isInstalled: boolean
  /** The ports of those sockets of ours that systemd listens on. */
  ownSocketPorts: readonly number[]
  listeners: readonly Listener[]
  diskFreeMegabytes: Readonly<Record<string, number>>
  memoryMegabytes: number
  clockMs: number
  calendars: readonly CalendarAnswer[]
  firstBoot: FirstBoot
}>

/** The settings that the preflight depends on. */
export type PreflightSpec = Pick<ParsedSpec, 'preflight' | 'backup' | 'housekeeping' | 'ingress'> & MemorySettings

/** The folders of programs, data and images. */
const DISK_FOLDERS = ['/opt', '/var/lib'] as const
const PLATFORMS = ['linux-x64', 'linux-arm64']

const numbersFact: Fact<Readonly<Record<string, number>>> = {
  query: {
    argv: [
      'sh',
      '-c',
      `echo "uid $(id -u)"; echo "clock $(date +%s)"
sed -n 's/^MemTotal: *\\([0-9]*\\) kB$/memory \\1/p' /proc/meminfo
df -k --output=file,avail -- "$@" 2>/dev/null`,
      'sh',
      ...DISK_FOLDERS,
    ],
    effect: 'read',
  },
  parse: ({ stdout }) =>
    Object.fromEntries(
      stdout
        .split('\n')
        .map((row) => row.split(/ +/))
        .filter(([name, value]) => name !== '' && value !== undefined && value !== '')
        .map(([name, value]) => [name, Number(value)]),
    ),
}

/** Reads all facts of the preflight in one turn. `waiting` is the text of `scripts/first-boot.sh`. */
export async function gatherPreflightFacts(
  getFact: GetFact,
  { backup, housekeeping, ingress, identity }: Pick<ParsedSpec, 'backup' | 'housekeeping' | 'ingress' | 'identity'>,
  waiting: string,
): Promise<PreflightFacts> {
  const [traits, running, current, socket, spiffeSocket, listeners, numbers, calendars, firstBoot] = await Promise.all([
    getFact(hostTraitsFact),
    getFact(pathFact('/run/systemd/system')),
    getFact(targetFact(HOST_PATH.currentRelease)),
    getFact(unitFact(UNIT.socket)),
    getFact(unitFact(UNIT.spiffeSocket)),
    getFact(
      listenersFact([
        ...ingressPorts(ingress),
        GATEWAY_PORT,
        ...(identity === undefined ? [] : [SPIFFE_PORT, identity.serverPort]),
      ]),
    ),
    getFact(numbersFact),
    Promise.all([
      getFact(calendarFact('backup.schedule', backup.schedule)),
      getFact(calendarFact('housekeeping.checkSchedule', housekeeping.checkSchedule)),
    ]),
    getFact(firstBootFact(waiting)),
  ])
  const megabytes = (name: string) => Math.floor((numbers[name] ?? 0) / 1024)
  return {
    uid: numbers['uid'],
    traits,
    isSystemdRunning: running.kind === 'directory',
    isInstalled: current !== undefined,
    ownSocketPorts: openPorts({ [GATEWAY_PORT]: socket, [SPIFFE_PORT]: spiffeSocket }),
    listeners,
    diskFreeMegabytes: Object.fromEntries(DISK_FOLDERS.map((folder) => [folder, megabytes(folder)])),
    memoryMegabytes: megabytes('memory'),
    clockMs: (numbers['clock'] ?? 0) * 1000,
    calendars,
    firstBoot,
  }
}

/** The ports of those sockets that systemd listens on. */
function openPorts(sockets: Readonly<Record<number, Pick<UnitState, 'active'>>>): readonly number[] {
  return Object.entries(sockets).flatMap(([port, { active }]) => (active === 'active' ? [Number(port)] : []))
}

/** While a socket of ours is active, no other program can hold its port; everything else of ours runs in a unit named tappass…. */
function isOurs({ port, unit }: Listener, ownSocketPorts: readonly number[]): boolean {
  return unit.startsWith('tappass') || ownSocketPorts.includes(port)
}

function portProblems(
  { listeners, ownSocketPorts }: PreflightFacts,
  { ingress }: Pick<PreflightSpec, 'ingress'>,
): readonly FailureText[] {
  const foreign = listeners.filter((listener) => !isOurs(listener, ownSocketPorts))
  const unique = foreign.filter(({ port }, index) => foreign.findIndex((other) => other.port === port) === index)
  return unique.map(({ port, program, unit }) => ({
    what: `port ${port} is in use`,
    why: `${program || 'an unknown program'}${unit === '' ? '' : ` (${unit})`} listens on it`,
    next: waysOut(port, unit, ingressPorts(ingress).includes(port)),
  }))
}

/** What holds the port may be somebody's site: other ports or no ingress come first, and ending it only where nothing needs it. */
function waysOut(port: number, unit: string, isIngress: boolean): string {
  const end = unit.endsWith('.service')
    ? `if nothing needs ${unit}: systemctl disable --now ${unit}   (on the host)`
    : `see what it is: ss -ltnp sport = :${port}   (on the host)`
  if (port === GATEWAY_PORT || port === SPIFFE_PORT) return end
  const ingress = `"ingress: { http: 8080, https: 8443 }", or "ingress: none" and a proxy of your own to ${GATEWAY_HOST}:${GATEWAY_PORT}`
  const settings = isIngress ? ingress : '"identity.serverPort" with another port'
  return `keep it, with other settings in host.yaml: ${settings}; or ${end}`
}

/** An installed host has used part of its disk already: a tenth is enough. */
function diskProblems(facts: PreflightFacts, minimum: number): readonly FailureText[] {
  const needed = facts.isInstalled ? Math.floor(minimum / 10) : minimum
  return Object.entries(facts.diskFreeMegabytes)
    .filter(([, free]) => free < needed)
    .map(([folder, free]) => ({
      what: `not enough disk space in ${folder}`,
      why: `${free} MB free, ${needed} MB needed`,
      next: 'free disk space, or lower preflight.diskFreeMegabytesMin in host.yaml',
    }))
}

type Rule = (facts: PreflightFacts, spec: PreflightSpec, nowMs: number) => readonly FailureText[]

const rootProblems: Rule = ({ uid }) =>
  uid === 0
    ? []
    : [{ what: 'root privileges required', why: `commands run as user ${uid}`, next: 'sudo ./bootstrap.sh' }]

const distributionProblems: Rule = ({ traits }) => {
  if (isSupported(traits)) return []
  const codename = traits.codename === '' ? '' : ` (${traits.codename})`
  const why = `it is ${traits.distribution || 'unknown'} ${traits.versionId}${codename}, not one of ${DISTRIBUTION_NAMES.join(', ')}`
  return [{ what: 'the operating system is not supported', why, next: `use ${DISTRIBUTION_NAMES.join(', ')}` }]
}

const processorProblems: Rule = ({ traits }) =>
  PLATFORMS.includes(traits.platform)
    ? []
    : [
        {
          what: 'the processor is not supported',
          why: `it is ${traits.platform}`,
          next: `use ${PLATFORMS.join(' or ')}`,
        },
      ]

const systemdProblems: Rule = ({ isSystemdRunning }) =>
  isSystemdRunning
    ? []
    : [
        {
          what: 'systemd is not running',
          why: '/run/systemd/system is absent',
          next: 'use a machine that boots with systemd',
        },
      ]

const memoryProblems: Rule = ({ memoryMegabytes }, spec) => {
  const { memoryMegabytesMin } = spec.preflight
  if (memoryMegabytes >= memoryMegabytesMin) return []
  const why = `${memoryMegabytes} MB installed, ${memoryMegabytesMin} MB needed`
  return [{ what: 'not enough memory', why, next: memoryRemedy(spec, memoryMegabytes, memoryMegabytesMin) }]
}

function clockProblems({ clockMs }: PreflightFacts, nowMs: number, maximum: number): readonly FailureText[] {
  const skewSeconds = Math.round(Math.abs(clockMs - nowMs) / 1000)
  if (skewSeconds <= maximum) return []
  const why = `it differs from the clock of this machine by ${skewSeconds} s; certificates and tokens need a correct clock`
  return [{ what: 'the clock of the host is wrong', why, next: 'timedatectl set-ntp true   (on the host)' }]
}

/** On a machine without systemd nobody can be asked, and that is the reason already. */
function calendarProblems({ calendars, isSystemdRunning }: PreflightFacts): readonly FailureText[] {
  if (!isSystemdRunning) return []
  return calendars
    .filter(({ problem }) => problem !== '')
    .map(({ setting, expression, problem }) => ({
      what: `${setting}: systemd does not accept "${expression}"`,
      why: `${problem}; its timer would never start anything`,
      next: `try one on the host: systemd-analyze calendar '*-*-* 03:17:00 UTC'`,
    }))
}

/** It was waited for already. */
function firstBootProblems({ firstBoot }: PreflightFacts): readonly FailureText[] {
  if (firstBoot.state !== 'running') return []
  return [
    {
      what: 'cloud-init is still running after 10 minutes',
      why: 'it rewrites the sources of apt and host keys, and may start the machine anew',
      next: 'see what it waits for: cloud-init status --long   (on the host)',
    },
  ]
}

/** What is asked before an installation, by id, in the order in which problems are told. */
export const PREFLIGHT_RULES: Readonly<Record<string, Rule>> = {
  root: rootProblems,
  distribution: distributionProblems,
  processor: processorProblems,
  systemd: systemdProblems,
  memory: memoryProblems,
  ports: portProblems,
  disk: (facts, { preflight }) => diskProblems(facts, preflight.diskFreeMegabytesMin),
  clock: (facts, { preflight }, nowMs) => clockProblems(facts, nowMs, preflight.clockSkewSecondsMax),
  calendar: calendarProblems,
  'first-boot': firstBootProblems,
}

/** Returns all problems that prevent an installation on the host. Pure. `nowMs` is the clock of the controller. */
export function preflightProblems(facts: PreflightFacts, spec: PreflightSpec, nowMs: number): readonly FailureText[] {
  return Object.values(PREFLIGHT_RULES).flatMap((problems) => problems(facts, spec, nowMs))
}
