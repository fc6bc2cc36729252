/** Differences between the supported distributions: package names and systemd features. */
import type { HostTraits } from './host-trait.ts'

/** The packages of Docker's engine, its client and iptables in a distribution. */
type Row = Readonly<{ name: string; docker: readonly string[] }>

/** By `distribution codename`. Debian 13 moved the client to docker-cli; before, and on Ubuntu, docker.io holds both. */
const ROWS: Readonly<Record<string, Row>> = {
  'ubuntu resolute': { name: 'Ubuntu 26.04', docker: ['docker.io', 'iptables'] },
  'ubuntu noble': { name: 'Ubuntu 24.04', docker: ['docker.io', 'iptables'] },
  'debian bookworm': { name: 'Debian 12', docker: ['docker.io', 'iptables'] },
  'debian trixie': { name: 'Debian 13', docker: ['docker.io', 'docker-cli', 'iptables'] },
}

/** Docker's own package names, the same in its repositories for Ubuntu and Debian. */
const VENDOR_DOCKER = ['docker-ce', 'docker-ce-cli', 'containerd.io'] as const

/** The names of the supported distributions. */
export const DISTRIBUTION_NAMES: readonly string[] = Object.values(ROWS).map((row) => row.name)

/** Whether the distribution is supported. */
export function isSupported({ distribution, codename }: Pick<HostTraits, 'distribution' | 'codename'>): boolean {
  return ROWS[`${distribution} ${codename}`] !== undefined
}

/**
 * Docker's packages only recommend it, and without it no container starts on a kernel that enforces AppArmor ("apparmor_parser: not found").
 */
const APPARMOR = 'apparmor'

/** Returns the packages that install Docker from `source`. Throws for an unsupported distribution. */
export function dockerPackages(traits: HostTraits, source: 'vendor' | 'distribution'): readonly string[] {
  const row = ROWS[`${traits.distribution} ${traits.codename}`]
  if (row === undefined) throw new Error(`no package names are known for ${traits.distribution} ${traits.codename}`)
  const packages = source === 'vendor' ? VENDOR_DOCKER : row.docker
  return traits.hasAppArmor ? [APPARMOR, ...packages] : packages
}

/**
 * Packages that can't be beside those of a source: by their Conflicts, or because both hold /usr/bin/docker. apt would take them away, and with
 * them what others run: the runc and containerd of a kubelet, too.
 */
const DOCKER_CONFLICTS = {
  vendor: ['docker.io', 'docker-cli', 'docker-engine', 'containerd', 'runc', 'podman-docker'],
  distribution: ['docker-ce', 'docker-ce-cli', 'docker-engine', 'containerd.io', 'podman-docker'],
} as const

/** Returns the packages that can't be beside those of `dockerPackages`. */
export function dockerConflicts(source: 'vendor' | 'distribution'): readonly string[] {
  return DOCKER_CONFLICTS[source]
}

/** RestartSteps= and RestartMaxDelaySec= came with systemd 254 (Debian 12 has 252, which warns of unknown keys). */
export function hasSteppedRestart({ systemdVersion }: Pick<HostTraits, 'systemdVersion'>): boolean {
  return systemdVersion >= 254
}
