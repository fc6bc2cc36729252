/** What must hold of a host before anything is changed on it: asked together, judged together, touching nothing. */

import type { FailureText } from '../core/failure.ts'
import type { Fact, Know } from '../core/host.ts'
import { DISTRIBUTION_NAMES, isSupported } from '../facts/distribution.ts'
import { type HostTraits, hostTraitsFact } from '../facts/host-trait.ts'
import { pathFact, targetFact } from '../facts/path.ts'
import { unitFact } from '../facts/unit.ts'
import type { WrittenSpec } from '../spec/host-spec.ts'

/** Who listens on a port: the program, and the systemd unit it belongs to (its control group); empty where it can't be seen. */
export type Listener = Readonly<{ port: number; program: string; unit: string }>

/** What was seen. `clockMs` is the host's; sizes are megabytes (2^20 bytes). */
export type Circumstances = Readonly<{
  uid: number | undefined
  traits: HostTraits
  isSystemdRunning: boolean
  isInstalled: boolean
  isOurSocketOpen: boolean
  listeners: readonly Listener[]
  diskFreeMegabytes: Readonly<Record<string, number>>
  memoryMegabytes: number
  clockMs: number
}>

/** The ingress and the gateway. */
const PORTS = [80, 443, 9620] as const
/** Where programs, data and images go. */
const PLACES = ['/opt', '/var/lib'] as const
const PLATFORMS = ['linux-x64', 'linux-arm64']

const listenersFact: Fact<readonly Listener[]> = {
  ask: {
    argv: [
      'sh',
      '-c',
      `ss -Hltnp 2>/dev/null | while read -r state received sent local peer users; do
  port=\${local##*:}
  case " $* " in *" $port "*) ;; *) continue ;; esac
  pid=$(printf %s "$users" | sed -n 's/^[^=]*pid=\\([0-9]*\\).*/\\1/p')
  unit=; [ -z "$pid" ] || unit=$(sed -n '$s/.*\\///p' "/proc/$pid/cgroup" 2>/dev/null)
  printf '%s\\t%s\\t%s\\n' "$port" "$(printf %s "$users" | sed -n 's/[^"]*"\\([^"]*\\)".*/\\1/p')" "$unit"
done`,
      'sh',
      ...PORTS.map(String),
    ],
    effect: 'read',
  },
  parse: ({ stdout }) =>
    stdout
      .split('\n')
      .filter((row) => row !== '')
      .map((row) => row.split('\t'))
      .map(([port, program = '', unit = '']) => ({ port: Number(port), program, unit })),
}

const numbersFact: Fact<Readonly<Record<string, number>>> = {
  ask: {
    argv: [
      'sh',
      '-c',
      `echo "uid $(id -u)"; echo "clock $(date +%s%3N)"
sed -n 's/^MemTotal: *\\([0-9]*\\) kB$/memory \\1/p' /proc/meminfo
for p do echo "$p $(df -k --output=avail -- "$p" 2>/dev/null | tail -n 1 | tr -d ' ')"; done`,
      'sh',
      ...PLACES,
    ],
    effect: 'read',
  },
  parse: ({ stdout }) =>
    Object.fromEntries(
      stdout
        .split('\n')
        .map((row) => row.split(' '))
        .filter(([name, value]) => name !== '' && value !== undefined && value !== '')
        .map(([name, value]) => [name, Number(value)]),
    ),
}

/** Asks everything in one turn. */
export async function lookAround(know: Know): Promise<Circumstances> {
  const [traits, running, current, socket, listeners, numbers] = await Promise.all([
    know(hostTraitsFact),
    know(pathFact('/run/systemd/system')),
    know(targetFact('/opt/tappass/current')),
    know(unitFact('tappass.socket')),
    know(listenersFact),
    know(numbersFact),
  ])
  const megabytes = (name: string) => Math.floor((numbers[name] ?? 0) / 1024)
  return {
    uid: numbers['uid'],
    traits,
    isSystemdRunning: running.kind === 'directory',
    isInstalled: current !== undefined,
    isOurSocketOpen: socket.active === 'active',
    listeners,
    diskFreeMegabytes: Object.fromEntries(PLACES.map((place) => [place, megabytes(place)])),
    memoryMegabytes: megabytes('memory'),
    clockMs: numbers['clock'] ?? 0,
  }
}

/** While tappass.socket is active nobody else can hold its port; everything else of ours runs in a unit named after us. */
function isOurs({ port, unit }: Listener, isOurSocketOpen: boolean): boolean {
  return unit.startsWith('tappass') || (port === 9620 && isOurSocketOpen)
}

function portFaults({ listeners, isOurSocketOpen }: Circumstances): readonly FailureText[] {
  const foreign = listeners.filter((listener) => !isOurs(listener, isOurSocketOpen))
  const unique = foreign.filter(({ port }, index) => foreign.findIndex((other) => other.port === port) === index)
  return unique.map(({ port, program, unit }) => ({
    what: `port ${port} is taken`,
    why: `${program || 'an unknown program'}${unit === '' ? '' : ` (${unit})`} listens on it`,
    next: unit.endsWith('.service') ? `systemctl disable --now ${unit}` : `ss -ltnp sport = :${port}`,
  }))
}

/** A host in use has filled part of its disk with what it was installed for: a tenth is enough to go on. */
function diskFaults(seen: Circumstances, least: number): readonly FailureText[] {
  const needed = seen.isInstalled ? Math.floor(least / 10) : least
  return Object.entries(seen.diskFreeMegabytes)
    .filter(([, free]) => free < needed)
    .map(([place, free]) => ({
      what: `too little disk under ${place}`,
      why: `${free} MB are free, ${needed} MB are needed`,
      next: 'free some, or set preflight.diskFreeMegabytesMin',
    }))
}

function machineFaults(seen: Circumstances, { memoryMegabytesMin }: WrittenSpec['preflight']): readonly FailureText[] {
  const { traits, uid, isSystemdRunning, memoryMegabytes } = seen
  const faults: FailureText[] = []
  if (uid !== 0)
    faults.push({ what: 'root is needed', why: `commands run as user ${uid}`, next: 'sudo ./bootstrap.sh' })
  if (!isSupported(traits)) {
    const codename = traits.codename === '' ? '' : ` (${traits.codename})`
    const why = `it is ${traits.distribution || 'unknown'} ${traits.versionId}${codename}, not one of ${DISTRIBUTION_NAMES.join(', ')}`
    faults.push({ what: 'the operating system is not supported', why, next: 'use one of those' })
  }
  if (!PLATFORMS.includes(traits.platform)) {
    faults.push({
      what: 'the processor is not supported',
      why: `it is ${traits.platform}`,
      next: `use ${PLATFORMS.join(' or ')}`,
    })
  }
  if (!isSystemdRunning) {
    faults.push({
      what: 'systemd does not run here',
      why: '/run/systemd/system is absent',
      next: 'use a machine that boots with systemd',
    })
  }
  if (memoryMegabytes < memoryMegabytesMin) {
    const why = `${memoryMegabytes} MB, and ${memoryMegabytesMin} MB are needed`
    faults.push({ what: 'too little memory', why, next: 'add some, or set preflight.memoryMegabytesMin' })
  }
  return faults
}

function clockFaults({ clockMs }: Circumstances, nowMs: number, most: number): readonly FailureText[] {
  const skewSeconds = Math.round(Math.abs(clockMs - nowMs) / 1000)
  if (skewSeconds <= most) return []
  const why = `it differs from this machine's by ${skewSeconds} s; certificates and tokens need it right`
  return [{ what: 'the clock is far off', why, next: 'timedatectl set-ntp true' }]
}

/** Pure: every reason why this host can't be brought to the wanted state; none means that it can. `nowMs` is the controller's clock. */
export function preflightFaults(
  seen: Circumstances,
  limits: WrittenSpec['preflight'],
  nowMs: number,
): readonly FailureText[] {
  return [
    ...machineFaults(seen, limits),
    ...portFaults(seen),
    ...diskFaults(seen, limits.diskFreeMegabytesMin),
    ...clockFaults(seen, nowMs, limits.clockSkewSecondsMax),
  ]
}
