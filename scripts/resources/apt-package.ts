/** Distribution packages that must be installed. */
import { change, changeByScript } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { type ByHost, forHost } from '../facts/host-trait.ts'
import { APT_STAMP, isAptListFreshFact, type PackageState, packagesFact } from '../facts/package.ts'

/** `names` may say `name=version`. `id` is the resource's address. */
export type AptPackageOptions = Readonly<{ id: string; names: ByHost<readonly string[]> }>

/** No question is ever asked: kept configuration files win, services that needrestart names are restarted. */
const QUIET = ['env', 'DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_MODE=a'] as const
const KEEP_CONFIGURATION = ['-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold'] as const

/** Runs its arguments again, up to ten minutes, for as long as what they said is that another program holds apt's or dpkg's lock. */
const WAITING_FOR_LOCK = `said=$(mktemp); trap 'rm -f "$said"' EXIT; tries=0
while :; do
  code=0; "$@" 2>"$said" || code=$?; cat "$said" >&2
  if [ "$code" = 0 ]; then exit 0; fi
  if ! grep -qE 'Could not get lock|Unable to (acquire|lock)|(is|was) locked' "$said" || [ "$tries" -ge 120 ]; then exit "$code"; fi
  tries=$((tries + 1)); sleep 5
done`

const UPDATE: readonly [Command, Command] = [
  changeByScript(WAITING_FOR_LOCK, [...QUIET, 'apt-get', 'update', '-o', 'Acquire::Retries=3']),
  changeByScript('mkdir -p -m 0700 -- "${1%/*}"; : >"$1"', [APT_STAMP]),
]

/** dpkg itself does not wait for its lock. */
const configure = changeByScript(WAITING_FOR_LOCK, [
  ...QUIET,
  'dpkg',
  '--force-confdef',
  '--force-confold',
  '--configure',
  '-a',
])

function install(names: readonly string[]): Command {
  return change(
    ...QUIET,
    'apt-get',
    'install',
    '--yes',
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=600',
    ...KEEP_CONFIGURATION,
    '--',
    ...names,
  )
}

function isInstalled(wanted: string, state: PackageState | undefined): boolean {
  const version = wanted.split('=')[1]
  return state?.status === 'ii' && (version === undefined || version === state.version)
}

function fault(wanted: string, state: PackageState | undefined): string {
  if (state === undefined || state.status[1] === 'n') return `${wanted} is not installed`
  if (state.status === 'ii') return `${wanted} is wanted, ${state.version} is installed`
  return `${wanted} is in dpkg's state "${state.status}"`
}

/** Packages installed from the host's apt sources; a run of dpkg that was killed is finished first. */
export function aptPackage(options: AptPackageOptions): Resource {
  return {
    id: `apt-package:${options.id}`,
    plan: async (know) => {
      const [names, { byName, interrupted }, isFresh] = await Promise.all([
        forHost(know, options.names),
        know(packagesFact),
        know(isAptListFreshFact),
      ])
      const stateOf = (wanted: string) => byName.get(wanted.split('=')[0] ?? wanted)
      const missing = names.filter((wanted) => !isInstalled(wanted, stateOf(wanted)))
      const repair: readonly Change[] =
        interrupted.length === 0
          ? []
          : [
              {
                does: 'finish an interrupted package installation',
                because: `dpkg was stopped at ${interrupted.join(', ')}`,
                commands: [configure],
              },
            ]
      if (missing.length === 0) return repair
      const because = missing.map((wanted) => fault(wanted, stateOf(wanted))).join(', ')
      const last = install(missing)
      return [
        ...repair,
        { does: `install ${missing.join(' ')}`, because, commands: isFresh ? [last] : [...UPDATE, last] },
      ]
    },
  }
}
