/** Facts about distribution packages: which are installed, and whether an installation was interrupted. */
import { HOST_PATH } from '../../contract/path.ts'
import type { Fact } from '../core/host.ts'

/** `status` is dpkg's abbreviation (`ii`: fully installed); `version` is dpkg's. */
export type PackageState = Readonly<{ status: string; version: string }>

/**
 * `byName` holds every package that dpkg lists. `interrupted` names those whose installation is unfinished, and `updates` for dpkg's own
 * unfinished journal: `dpkg --configure -a` repairs both.
 */
export type Packages = Readonly<{ byName: ReadonlyMap<string, PackageState>; interrupted: readonly string[] }>

/** Second letter of the abbreviation: half-installed, unpacked, half-configured, awaiting triggers, triggers pending. */
const UNFINISHED = /^.[HUFWt]/

/** All packages in one query: package names depend on the distribution. */
export const packagesFact: Fact<Packages> = {
  query: {
    argv: [
      'sh',
      '-c',
      `dpkg-query -W -f '\${Package}\\t\${db:Status-Abbrev}\\t\${Version}\\n'
       [ -z "$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ] || echo updates`,
    ],
    effect: 'read',
  },
  parse: ({ stdout }) => {
    const rows = stdout.split('\n').filter((row) => row !== '')
    const byName = new Map<string, PackageState>()
    for (const row of rows) {
      const [name = '', status = '', version = ''] = row.split('\t')
      // Of several architectures of a package, one installed is enough.
      if (version !== '' && byName.get(name)?.status !== 'ii') byName.set(name, { status: status.trim(), version })
    }
    const interrupted = [...byName].filter(([, { status }]) => UNFINISHED.test(status)).map(([name]) => name)
    return { byName, interrupted: rows.includes('updates') ? ['updates', ...interrupted] : interrupted }
  },
  // Of those that somebody wants the changes tell; the others are updated in the night.
  planned: ({ interrupted }) => interrupted,
}

/**
 * Returns a script that prints recorded packages: with `manual` those that apt takes for wanted by somebody, with `removable` those that nothing
 * depends on any more (a mere recommendation does not keep one), and those whose settings are left; `with`: those that go with `$manual`.
 */
export function removableScript(which: 'manual' | 'removable' | 'with'): string {
  const made = `sed -n 's/^package //p' ${HOST_PATH.madeRecord} 2>/dev/null | sort -u`
  const recorded = (list: string) =>
    `{ ${list}; } 2>/dev/null | sed 's/:.*//' | sort -u | { ${made}; cat; } | sort | uniq -d`
  if (which === 'manual') return recorded('apt-mark showmanual')
  const options = '-o APT::AutoRemove::RecommendsImportant=false -o APT::AutoRemove::SuggestsImportant=false'
  const verb = which === 'with' ? 'purge --auto-remove $manual' : 'autoremove'
  const unneeded = `apt-get --simulate ${options} ${verb} | sed -n 's/^\\(Remv\\|Purg\\) \\([^ ]*\\).*/\\2/p'`
  const settings = `dpkg-query -W -f '\${Package} \${db:Status-Abbrev}\\n' | sed -n 's/^\\([^ ]*\\) rc.*/\\1/p'`
  return recorded(`${unneeded}; ${settings}`)
}

/** With those that nobody needs once the ones that count as wanted are gone. */
const REMOVABLE = `manual=$(${removableScript('manual')})
{ printf '%s\\n' $manual; ${removableScript('removable')}
[ -z "$manual" ] || ${removableScript('with')}; } | sort -u`

/** The packages that came with us and can go: apt still counts them as wanted, or nothing needs them. */
export const removablePackagesFact: Fact<readonly string[]> = {
  query: {
    argv: ['sh', '-c', REMOVABLE],
    effect: 'read',
  },
  parse: ({ stdout }) => stdout.split('\n').filter((name) => name !== ''),
}

/** Written by our `apt-get update`; apt itself keeps no reliable time of its last fetch. */
export const APT_STAMP = `${HOST_PATH.convergeFolder}/apt-update`

/** Whether the package lists were fetched within the last hour and after the last change of the sources. */
export const isAptListFreshFact: Fact<boolean> = {
  query: {
    argv: [
      'sh',
      '-c',
      `[ -n "$(find "$1" -mmin -60 2>/dev/null)" ] || exit 0
       [ -n "$(find /etc/apt \\( -name '*.list' -o -name '*.sources' -o -name '*.asc' \\) -newer "$1")" ] || echo fresh`,
      'sh',
      APT_STAMP,
    ],
    effect: 'read',
  },
  parse: ({ stdout }) => stdout.trim() === 'fresh',
  planned: () => undefined,
}
