/** Distribution packages that must be installed. */
import { RETRYING, scriptCommand, within } from '../core/command.ts'
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

/**
 * `names` may contain `name=version`. `id` names the resource. `waiting` is the text of `scripts/first-boot.sh`. `before` are scripts: before the
 * first package is installed (it may call `made KIND NAME`), and before they are removed: the resource that has these takes away all packages that
 * came with us, whichever resource brought them. Where one of `instead` is installed, nothing is: it does the same work.
 */
export type AptPackageOptions = Readonly<{
  id: string
  names: PerHost<readonly string[]>
  waiting: string
  before?: Readonly<{ install: string; removal: string }>
  instead?: readonly string[]
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

function installCommand({ waiting, before }: AptPackageOptions, names: readonly string[]): Command {
  return retriedAfter(
    `${RECORD_PACKAGES}\n${before?.install ?? ''}`,
    waiting,
    INSTALL_MINUTES,
    'apt-get',
    'install',
    '--yes',
    // What conflicts with ours belongs to somebody: apt refuses, and names it.
    '--no-remove',
    '--no-install-recommends',
    ...KEEP_CONFIGURATION,
    '--',
    ...names,
  )
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

/** Packages from the host's apt sources; an interrupted run of dpkg is finished first. */
export function aptPackage(options: AptPackageOptions): Resource {
  return {
    id: `apt-package:${options.id}`,
    absent: async (getFact) => {
      if (options.before === undefined) return []
      const removable = await getFact(removablePackagesFact)
      if (removable.length === 0) return []
      const action = `remove ${removable.length} packages: ${removable.join(' ')}`
      const reason = 'they came with TapPass, and no other package needs them'
      return [{ action, reason, commands: [removeCommand(options)] }]
    },
    plan: async (getFact) => {
      const [names, { byName, interrupted }, isFresh] = await Promise.all([
        resolvePerHost(getFact, options.names),
        getFact(packagesFact),
        getFact(isAptListFreshFact),
      ])
      const stateOf = (desired: string) => byName.get(desired.split('=')[0] ?? desired)
      const isDone = options.instead?.some((name) => isInstalled(name, stateOf(name))) === true
      const missing = isDone ? [] : names.filter((desired) => !isInstalled(desired, stateOf(desired)))
      const repair: readonly Change[] =
        interrupted.length === 0
          ? []
          : [
              {
                action: 'finish an interrupted package installation',
                reason: `dpkg was interrupted at ${interrupted.join(', ')}`,
                commands: [configureCommand(options.waiting)],
              },
            ]
      if (missing.length === 0) return repair
      const reason = missing.map((desired) => installReason(desired, stateOf(desired))).join(', ')
      const install = installCommand(options, missing)
      return [
        ...repair,
        {
          action: `install ${missing.join(' ')}`,
          reason,
          commands: isFresh ? [install] : [...updateCommands(options.waiting), install],
        },
      ]
    },
  }
}
