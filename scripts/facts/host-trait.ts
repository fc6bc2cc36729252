/** Traits of a host: what file contents and package names may depend on. */
import type { Fact, GetFact } from '../core/host.ts'
import { type HostNetwork, NETWORK_DIVIDER, NETWORK_SCRIPT, parseNetwork } from './host-network.ts'

/** The traits. `systemdVersion` is 0 where systemd is absent. */
export type HostTraits = Readonly<{
  /** `ubuntu` or `debian`. */
  distribution: string
  /** `noble`, `bookworm`, `trixie`. */
  codename: string
  versionId: string
  /** In Node's notation: `linux-x64`, `linux-arm64`. */
  platform: string
  /** In Debian's notation: `amd64`, `arm64`. */
  debianArchitecture: string
  systemdVersion: number
  /** `encrypted`: secrets are in /etc/credstore.encrypted and units use LoadCredentialEncrypted; `plain`: /etc/credstore and LoadCredential. */
  credentialStore: 'encrypted' | 'plain'
  /** Megabytes (2^20 bytes) of memory; 0 where it is not known. */
  memoryMegabytes: number
  /** Whether the kernel enforces AppArmor: containers then need its parser. */
  hasAppArmor: boolean
  network: HostNetwork
}>

/** A value, or a pure function of the host's traits that returns it. */
export type PerHost<T extends string | readonly string[]> = T | ((traits: HostTraits) => T)

const ARCHITECTURES: Readonly<Record<string, readonly [platform: string, debian: string]>> = {
  x86_64: ['linux-x64', 'amd64'],
  aarch64: ['linux-arm64', 'arm64'],
}

/** systemd-creds exists since 250; where it is missing, secrets are plain files that only root can read. */
const ENCRYPTING_VERSION_MIN = 250

/** Queried in one process. Values are empty or 0 where a tool is missing. */
export const hostTraitsFact: Fact<HostTraits> = {
  query: {
    argv: [
      'sh',
      '-c',
      `cat /etc/os-release 2>/dev/null; printf '\\nMACHINE=%s\\n' "$(uname -m)"
       printf 'SYSTEMD=%s\\n' "$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \\([0-9]*\\).*/\\1/p')"
       if command -v systemd-creds >/dev/null; then echo CREDS=1; fi
       sed -n 's/^MemTotal: *\\([0-9]*\\) kB$/MEMORY=\\1/p' /proc/meminfo 2>/dev/null
       echo "APPARMOR=$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)"
${NETWORK_SCRIPT}`,
    ],
    effect: 'read',
  },
  parse: ({ stdout }) => {
    const [values = '', network = ''] = stdout.split(NETWORK_DIVIDER)
    const rows = values
      .split('\n')
      .map((row) => [row.slice(0, row.indexOf('=')), row.slice(row.indexOf('=') + 1)] as const)
    const value = new Map(rows.map(([key, written]) => [key, written.replace(/^(["'])(.*)\1$/, '$2')]))
    const machine = value.get('MACHINE') ?? ''
    const [platform, debianArchitecture] = ARCHITECTURES[machine] ?? [`linux-${machine}`, machine]
    const systemdVersion = Number(value.get('SYSTEMD') ?? 0)
    return {
      distribution: value.get('ID') ?? '',
      codename: value.get('VERSION_CODENAME') ?? '',
      versionId: value.get('VERSION_ID') ?? '',
      platform,
      debianArchitecture,
      systemdVersion,
      credentialStore: value.has('CREDS') && systemdVersion >= ENCRYPTING_VERSION_MIN ? 'encrypted' : 'plain',
      memoryMegabytes: Math.floor(Number(value.get('MEMORY') ?? 0) / 1024),
      hasAppArmor: value.get('APPARMOR') === 'Y',
      network: parseNetwork(network),
    }
  },
  // Addresses are leased, and memory is counted anew at each boot: what follows from them stands in the changes.
  planned: ({ network: _, memoryMegabytes: __, ...traits }) => traits,
}

/** Returns the value for this host. A function's traits are queried in the same turn as other facts. */
export async function resolvePerHost<T extends string | readonly string[]>(
  getFact: GetFact,
  value: PerHost<T>,
): Promise<T> {
  if (typeof value !== 'function') return value
  return value(await getFact(hostTraitsFact))
}
