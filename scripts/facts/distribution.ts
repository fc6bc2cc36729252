/** What differs between the systems that a host may run: the one table of package names and of systemd's keys. */
import type { HostTraits } from './host-trait.ts'

/** How a distribution calls Docker's engine, its client and iptables in its own archive. */
type Row = Readonly<{ name: string; docker: readonly string[] }>

/** By `distribution codename`. Debian 13 split the client off; before, and on Ubuntu, docker.io holds both. */
const rows: Readonly<Record<string, Row>> = {
  'ubuntu noble': { name: 'Ubuntu 24.04', docker: ['docker.io', 'iptables'] },
  'debian bookworm': { name: 'Debian 12', docker: ['docker.io', 'iptables'] },
  'debian trixie': { name: 'Debian 13', docker: ['docker.io', 'docker-cli', 'iptables'] },
}

/** Docker's own names, the same in its repositories for Ubuntu and Debian. */
const vendorDocker = ['docker-ce', 'docker-ce-cli', 'containerd.io'] as const

/** The supported systems, for people. */
export const distributionNames: readonly string[] = Object.values(rows).map((row) => row.name)

/** Whether this project was made for the system. */
export const isSupported = ({ distribution, codename }: Pick<HostTraits, 'distribution' | 'codename'>): boolean =>
  rows[`${distribution} ${codename}`] !== undefined

/** The packages that bring Docker from `source`. Throws for a system that preflight refuses. */
export const dockerPackages = (traits: HostTraits, source: 'vendor' | 'distribution'): readonly string[] => {
  const row = rows[`${traits.distribution} ${traits.codename}`]
  if (row === undefined) throw new Error(`no package names are known for ${traits.distribution} ${traits.codename}`)
  return source === 'vendor' ? vendorDocker : row.docker
}

/** RestartSteps= and RestartMaxDelaySec= came with systemd 254 (Debian 12 has 252, which warns of unknown keys). */
export const hasSteppedRestart = ({ systemdVersion }: Pick<HostTraits, 'systemdVersion'>): boolean =>
  systemdVersion >= 254
