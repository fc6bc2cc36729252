/** Distribution packages that must be installed. */
import { type LocalFile, openFile } from '../artifacts/artifact.ts'
import { changeCommand, RETRYING, scriptCommand, within } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { type PerHost, resolvePerHost } from '../facts/host-trait.ts'
import { MADE_FUNCTION } from '../facts/made-record.ts'
import {
  APT_STAMP,
  isAptListFreshFact,
  type PackageState,
  packagesFact,
  removablePackagesFact,
  removableScript,
} from '../facts/package.ts'
import { pathFact } from '../facts/path.ts'
import { removeStaging } from '../files/directory-swap.ts'

/**
 * `names` may contain `name=version`. `id` names the resource. `waiting` is the text of `scripts/first-boot.sh`. `before` are scripts: before the
 * first package is installed (it may call `made KIND NAME`), and before they are removed: the resource that has these takes away all packages that
 * came with us, whichever resource brought them. Where one of `instead` is installed, nothing is: it does the same work. With `source`, a tar of packages and their
 * index, they come from there and apt asks nobody.
 */
export type AptPackageOptions = Readonly<{
  id: string
  names: PerHost<readonly string[]>
  waiting: string
  before?: Readonly<{ install: string; removal: string }>
  instead?: readonly string[]
  source?: LocalFile | undefined
}>

/** Never prompts: existing configuration files are kept, and needrestart restarts nothing, for most services are other people's. */
const NONINTERACTIVE = ['env', 'DEBIAN_FRONTEND=noninteractive', 'NEEDRESTART_SUSPEND=1'] as const
const KEEP_CONFIGURATION = ['-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold'] as const

/** Ten minutes for a lock are part of them. A slow mirror and a slow disk take their time; dpkg ended halfway is finished by the next run. */
const [UPDATE_MINUTES, INSTALL_MINUTES] = [30, 90]

/** The command, and again for up to ten minutes while another program holds a lock of apt or dpkg. */
function retried(waiting: string, minutes: number, ...argv: readonly string[]): Command {
  return retriedAfter('', waiting, minutes, ...argv)
}

function retriedAfter(first: string, waiting: string, minutes: number, ...argv: readonly string[]): Command {
  const script = `${waiting}\n${first}\nretry_while_locked "$@"`
  return within(minutes, { argv: ['sh', '-euc', script, RETRYING, ...NONINTERACTIVE, ...argv], effect: 'change' })
}

function updateCommands(waiting: string): readonly [Command, Command] {
  return [
    { ...retried(waiting, UPDATE_MINUTES, 'apt-get', 'update', '-o', 'Acquire::Retries=3'), isRenewal: true },
    { ...scriptCommand('mkdir -p -m 0700 -- "${1%/*}"; : >"$1"', [APT_STAMP]), isRenewal: true },
  ]
}

function configureCommand(waiting: string): Command {
  return retried(waiting, INSTALL_MINUTES, 'dpkg', '--force-confdef', '--force-confold', '--configure', '-a')
}

/**
 * Records what will be installed that is not there, with all that it brings along; what is only updated was there (apt names its version in
 * brackets). `$1` to `$3` are the words of NONINTERACTIVE, `$4` is apt-get.
 */
const RECORD_PACKAGES = `${MADE_FUNCTION}
for package in $(shift 4; apt-get --simulate "$@" 2>/dev/null | sed -n 's/^Inst \\([^ ]*\\) (.*/\\1/p'); do made package "$package"; done`

// What conflicts with ours belongs to somebody: apt refuses, and names it.
const INSTALL = [
  'apt-get',
  'install',
  '--yes',
  '--no-remove',
  '--no-install-recommends',
  ...KEEP_CONFIGURATION,
] as const

function installCommand({ waiting, before }: AptPackageOptions, names: readonly string[]): Command {
  const first = `${RECORD_PACKAGES}\n${before?.install ?? ''}`
  return retriedAfter(first, waiting, INSTALL_MINUTES, ...INSTALL, '--', ...names)
}

function sourceFolder({ id }: Pick<AptPackageOptions, 'id'>): string {
  return `/var/cache/tappass-packages-${id}`
}

/**
 * The packages of a bundle: unpacked into a folder that is the only source of this one run of apt. The host's own sources and lists are neither
 * read nor changed. `trusted` because the bundle's signature covers the tar, and its index has the digest of each package.
 */
function sentCommands(options: AptPackageOptions, source: LocalFile, names: readonly string[]) {
  const folder = sourceFolder(options)
  const lists = [
    ...['-o', `Dir::Etc::sourcelist=${folder}/sources.list`, '-o', 'Dir::Etc::sourceparts=/dev/null'],
    ...['-o', `Dir::State::lists=${folder}/lists`, '-o', 'Dir::Cache::pkgcache=', '-o', 'Dir::Cache::srcpkgcache='],
  ]
  const unpack = `rm -rf -- ${folder}; mkdir -p -- ${folder}/lists/partial
cat >${folder}/packages.tar; echo "${source.sha256}  ${folder}/packages.tar" | sha256sum -c --quiet -
tar -xf ${folder}/packages.tar -C ${folder} --no-same-owner; rm -f -- ${folder}/packages.tar; chmod -R go-w,a+rX -- ${folder}
echo 'deb [trusted=yes] file:${folder} ./' >${folder}/sources.list
apt-get update -q ${lists.join(' ')}`
  const first = `${unpack}\n${RECORD_PACKAGES}\n${options.before?.install ?? ''}`
  const install = retriedAfter(first, options.waiting, INSTALL_MINUTES, ...INSTALL, ...lists, '--', ...names)
  const remove = changeCommand('rm', '-rf', '--', folder)
  return [{ ...install, stdin: openFile(source, source.sha256) }, remove] as const
}

function isInstalled(desired: string, state: PackageState | undefined): boolean {
  const version = desired.split('=')[1]
  return state?.status === 'ii' && (version === undefined || version === state.version)
}

function installReason(desired: string, state: PackageState | undefined): string {
  if (state === undefined || state.status[1] === 'n') return `${desired} is not installed`
  if (state.status === 'ii')
    return `${state.version} of ${desired.split('=')[0]} is installed, not ${desired.split('=')[1]}`
  return `dpkg reports state "${state.status}" for ${desired}`
}

/** Ours count as brought along by nobody now: what no package of others depends on is purged, and nothing that was there. */
const REMOVE_PACKAGES = `manual=$(${removableScript('manual')}); [ -z "$manual" ] || apt-mark auto $manual >/dev/null
gone=$(${removableScript('removable')}); [ -n "$gone" ] || exit 0
set -- "$@" $gone`

function removeCommand({ waiting, before }: AptPackageOptions): Command {
  const words = ['apt-get', 'purge', '--yes', '-o', 'APT::Get::AutomaticRemove=false', '--']
  return retriedAfter(`${before?.removal ?? ''}\n${REMOVE_PACKAGES}`, waiting, INSTALL_MINUTES, ...words)
}

function repairChanges({ waiting }: AptPackageOptions, interrupted: readonly string[]): readonly Change[] {
  if (interrupted.length === 0) return []
  const reason = `dpkg was interrupted at ${interrupted.join(', ')}`
  return [{ action: 'finish an interrupted package installation', reason, commands: [configureCommand(waiting)] }]
}

function fetchCommands(options: AptPackageOptions, names: readonly string[], isFresh: boolean): Change['commands'] {
  const install = installCommand(options, names)
  return isFresh ? [install] : [...updateCommands(options.waiting), install]
}

/** Packages from the host's apt sources; an interrupted run of dpkg is finished first. */
export function aptPackage(options: AptPackageOptions): Resource {
  return {
    id: `apt-package:${options.id}`,
    fetches: async (getFact) => {
      if (options.source !== undefined) return []
      return [{ kind: 'packages', id: options.id, names: await resolvePerHost(getFact, options.names) }]
    },
    absent: async (getFact) => {
      if (options.before === undefined) return []
      const removable = await getFact(removablePackagesFact)
      if (removable.length === 0) return []
      const action = `remove ${removable.length} packages: ${removable.join(' ')}`
      const reason = 'they came with TapPass, and no other package needs them'
      return [{ action, reason, commands: [removeCommand(options)] }]
    },
    plan: async (getFact) => {
      const { source } = options
      const [names, { byName, interrupted }, isFresh, left] = await Promise.all([
        resolvePerHost(getFact, options.names),
        getFact(packagesFact),
        getFact(isAptListFreshFact),
        source === undefined ? undefined : getFact(pathFact(sourceFolder(options))),
      ])
      const stateOf = (desired: string) => byName.get(desired.split('=')[0] ?? desired)
      const isDone = options.instead?.some((name) => isInstalled(name, stateOf(name))) === true
      const missing = isDone ? [] : names.filter((desired) => !isInstalled(desired, stateOf(desired)))
      const repair = repairChanges(options, interrupted)
      if (missing.length === 0)
        return left?.kind === 'directory' ? [...repair, removeStaging(sourceFolder(options))] : repair
      const reason = missing.map((desired) => installReason(desired, stateOf(desired))).join(', ')
      const commands =
        source === undefined ? fetchCommands(options, missing, isFresh) : sentCommands(options, source, missing)
      return [...repair, { action: `install ${missing.join(' ')}`, reason, commands }]
    },
  }
}
