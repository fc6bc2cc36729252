/** What kind of machine a host is: the few things by which wanted texts and package names may differ. */
import type { Fact, Know } from '../core/host.ts'

/** `systemdVersion` is 0 where systemd is absent. */
export type HostTraits = Readonly<{
  /** `ubuntu` or `debian`. */
  distribution: string
  /** `noble`, `bookworm`, `trixie`. */
  codename: string
  versionId: string
  /** In Node's words: `linux-x64`, `linux-arm64`. */
  platform: string
  /** In Debian's words: `amd64`, `arm64`. */
  debianArchitecture: string
  systemdVersion: number
  /** `encrypted`: secrets stand in /etc/credstore.encrypted and units say LoadCredentialEncrypted; `plain`: /etc/credstore and LoadCredential. */
  credentialStore: 'encrypted' | 'plain'
}>

/** A value, or a pure function of the host's traits that gives it. */
export type ByHost<T extends string | readonly string[]> = T | ((traits: HostTraits) => T)

const ARCHITECTURES: Readonly<Record<string, readonly [platform: string, debian: string]>> = {
  x86_64: ['linux-x64', 'amd64'],
  aarch64: ['linux-arm64', 'arm64'],
}

/** systemd-creds came with 250, in its own program; where it is missing, secrets stay plain root-only files. */
const ENCRYPTING_VERSION_MIN = 250

/** Asked in one process. Everything is empty or 0 where a tool is missing. */
export const hostTraitsFact: Fact<HostTraits> = {
  ask: {
    argv: [
      'sh',
      '-c',
      `cat /etc/os-release 2>/dev/null; printf '\\nMACHINE=%s\\n' "$(uname -m)"
       printf 'SYSTEMD=%s\\n' "$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \\([0-9]*\\).*/\\1/p')"
       if command -v systemd-creds >/dev/null; then echo CREDS=1; fi`,
    ],
    effect: 'read',
  },
  parse: ({ stdout }) => {
    const rows = stdout
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
    }
  },
}

/** The value for this host. The question is asked in any case, so that it travels with the others of the same turn. */
export async function forHost<T extends string | readonly string[]>(know: Know, wanted: ByHost<T>): Promise<T> {
  if (typeof wanted !== 'function') return wanted
  return wanted(await know(hostTraitsFact))
}
