/** Distribution packages that must be installed. */
import { change, changeByScript } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { type ByHost, forHost } from '../facts/host-trait.ts'
import { aptStamp, isAptListFreshFact, type PackageState, packagesFact } from '../facts/package.ts'

/** `names` may say `name=version`. `id` is the resource's address. */
export type AptPackageOptions = Readonly<{ id: string; names: ByHost<readonly string[]> }>

/** No question is ever asked: kept configuration files win, services that needrestart names are restarted. */
const quiet = ['env', 'DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_MODE=a'] as const
const keepConfiguration = ['-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold'] as const

/** Runs its arguments again, up to ten minutes, for as long as what they said is that another program holds apt's or dpkg's lock. */
const waitingForLock = `said=$(mktemp); trap 'rm -f "$said"' EXIT; tries=0
while :; do
  code=0; "$@" 2>"$said" || code=$?; cat "$said" >&2
  if [ "$code" = 0 ]; then exit 0; fi
  if ! grep -qE 'Could not get lock|Unable to (acquire|lock)|(is|was) locked' "$said" || [ "$tries" -ge 120 ]; then exit "$code"; fi
  tries=$((tries + 1)); sleep 5
done`

const update: readonly [Command, Command] = [
  changeByScript(waitingForLock, [...quiet, 'apt-get', 'update', '-o', 'Acquire::Retries=3']),
  changeByScript('mkdir -p -m 0700 -- "${1%/*}"; : >"$1"', [aptStamp]),
]

/** dpkg itself does not wait for its lock. */
const configure = changeByScript(waitingForLock, [
  ...quiet,
  'dpkg',
  '--force-confdef',
  '--force-confold',
  '--configure',
  '-a',
])

const install = (names: readonly string[]): Command =>
  change(
    ...quiet,
    'apt-get',
    'install',
    '--yes',
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=600',
    ...keepConfiguration,
    '--',
    ...names,
  )

const isInstalled = (wanted: string, state: PackageState | undefined): boolean => {
  const version = wanted.split('=')[1]
  return state?.status === 'ii' && (version === undefined || version === state.version)
}

const fault = (wanted: string, state: PackageState | undefined): string => {
  if (state === undefined || state.status[1] === 'n') return `${wanted} is not installed`
  if (state.status === 'ii') return `${wanted} is wanted, ${state.version} is installed`
  return `${wanted} is in dpkg's state "${state.status}"`
}

/** Packages installed from the host's apt sources; a run of dpkg that was killed is finished first. */
export const aptPackage = (options: AptPackageOptions): Resource => ({
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
      { does: `install ${missing.join(' ')}`, because, commands: isFresh ? [last] : [...update, last] },
    ]
  },
})
