/** What differs between the systems that a host may run: the one table of package names and of systemd's keys. */
import type { HostTraits } from './host-trait.ts'

/** How a distribution calls Docker's engine, its client and iptables in its own archive. */
type Row = Readonly<{ name: string; docker: readonly string[] }>

/** By `distribution codename`. Debian 13 split the client off; before, and on Ubuntu, docker.io holds both. */
const ROWS: Readonly<Record<string, Row>> = {
  'ubuntu noble': { name: 'Ubuntu 24.04', docker: ['docker.io', 'iptables'] },
  'debian bookworm': { name: 'Debian 12', docker: ['docker.io', 'iptables'] },
  'debian trixie': { name: 'Debian 13', docker: ['docker.io', 'docker-cli', 'iptables'] },
}

/** Docker's own names, the same in its repositories for Ubuntu and Debian. */
const VENDOR_DOCKER = ['docker-ce', 'docker-ce-cli', 'containerd.io'] as const

/** The supported systems, for people. */
export const DISTRIBUTION_NAMES: readonly string[] = Object.values(ROWS).map((row) => row.name)

/** Whether this project was made for the system. */
export function isSupported({ distribution, codename }: Pick<HostTraits, 'distribution' | 'codename'>): boolean {
  return ROWS[`${distribution} ${codename}`] !== undefined
}

/** The packages that bring Docker from `source`. Throws for a system that preflight refuses. */
export function dockerPackages(traits: HostTraits, source: 'vendor' | 'distribution'): readonly string[] {
  const row = ROWS[`${traits.distribution} ${traits.codename}`]
  if (row === undefined) throw new Error(`no package names are known for ${traits.distribution} ${traits.codename}`)
  return source === 'vendor' ? VENDOR_DOCKER : row.docker
}

/** RestartSteps= and RestartMaxDelaySec= came with systemd 254 (Debian 12 has 252, which warns of unknown keys). */
export function hasSteppedRestart({ systemdVersion }: Pick<HostTraits, 'systemdVersion'>): boolean {
  return systemdVersion >= 254
}
