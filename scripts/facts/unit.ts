/** Facts about systemd units, and the revision that each one runs. */
import { HOST_PATH } from '../../contract/path.ts'
import type { BatchQuery, Command, Fact, Output } from '../core/host.ts'

/**
 * `load` is `not-found` for an unknown unit; `active`, `sub`, `enabled` and `result` are systemd's values. `revision` is
 * TAPPASS_REVISION of the running main process, or else the file of the unit in /run/tappass/revision. `sinceSeconds` is the time of the
 * last state change (seconds since 1970; 0: never). `status` is what the process says of itself (STATUS=, sd_notify), else empty.
 * `replacedLibraries` are the names of libraries that the running main process has loaded and that were replaced on the disk since: after a
 * security update it goes on with the old ones.
 */
export type UnitState = Readonly<{
  name: string
  load: string
  active: string
  sub: string
  enabled: string
  result: string
  isReloadNeeded: boolean
  mainPid: number
  sinceSeconds: number
  revision: string | undefined
  status: string
  replacedLibraries: readonly string[]
}>

const PROPERTIES =
  'Id,LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,Result,MainPID,StateChangeTimestamp,StatusText'
const DIVIDER = '=== revisions'
const LIBRARIES_DIVIDER = '=== replaced libraries'

/**
 * `$@` are units or patterns. The second part of the output has a row for each process and each file with a revision (NAME.read: what a unit read), the
 * third one for each library of a process whose file is gone.
 */
const UNIT_SCRIPT = String.raw`
s=$(systemctl show --all --no-pager --timestamp=unix -p ${PROPERTIES} -- "$@" 2>/dev/null)
printf '%s\n${DIVIDER}\n' "$s"
ps=$(printf '%s\n' "$s" | sed -n 's/^MainPID=\([1-9][0-9]*\)$/\1/p')
of_processes() { file=$1; shift; for p in $ps; do set -- "$@" "/proc/$p/$file"; done; [ -z "$ps" ] || grep "$@"; }
of_processes environ -azHs '^TAPPASS_REVISION=' | tr '\0' '\n' | sed 's:^/proc/\([0-9]*\)/environ\:TAPPASS_REVISION=:\1 :'
! cd ${HOST_PATH.revisionFolder} 2>/dev/null ||
  for f in *; do case "$f" in *.read) ;; *) [ ! -f "$f" ] || { read -r line <"$f"; printf '%s %s\n' "$f" "$line"; } ;; esac; done
echo '${LIBRARIES_DIVIDER}'
of_processes maps -Hs 'r-x.*\.so[.0-9]* (deleted)$'
exit 0`

function unitCommand(units: readonly string[]): Command {
  return { argv: ['sh', '-c', UNIT_SCRIPT, 'sh', ...units], effect: 'read' }
}

/** Returns the blocks of `systemctl show`, each with the revision and the replaced libraries as additional rows. */
function blocksOf({ stdout }: Output): readonly string[] {
  const [properties = '', rest = ''] = stdout.split(`${DIVIDER}\n`)
  const [revisionRows = '', libraryRows = ''] = rest.split(`${LIBRARIES_DIVIDER}\n`)
  const revisions = new Map(revisionRows.split('\n').map((row) => row.split(' ') as [string, string]))
  const libraries = librariesOf(libraryRows)
  return properties
    .trim()
    .split('\n\n')
    .map((block) => {
      const value = (name: string) => new RegExp(`^${name}=(.+)$`, 'm').exec(block)?.[1] ?? ''
      const revision = revisions.get(value('MainPID')) || revisions.get(value('Id')) || ''
      const replaced = [...(libraries.get(value('MainPID')) ?? [])].toSorted().join(' ')
      return `${block}\nRevision=${revision}\nReplacedLibraries=${replaced}`
    })
}

/** The names of libraries by process, of rows `/proc/12/maps:… /usr/lib/libc.so.6 (deleted)`. */
function librariesOf(rows: string): ReadonlyMap<string, ReadonlySet<string>> {
  const libraries = new Map<string, Set<string>>()
  for (const [, pid = '', name = ''] of rows.matchAll(/^\/proc\/(\d+)\/maps:.*\/([^/]+) \(deleted\)$/gm))
    libraries.set(pid, (libraries.get(pid) ?? new Set()).add(name))
  return libraries
}

/** Blocks come in the order of the units in the query, so aliases do no harm. */
const unitQuery: BatchQuery = {
  query: unitCommand,
  split: (output, units) => {
    const blocks = blocksOf(output)
    return new Map(units.map((unit, index) => [unit, { code: 0, stdout: blocks[index] ?? '', stderr: '' }]))
  },
}

function parse(stdout: string): UnitState {
  const value = new Map(
    stdout.split('\n').map((row) => [row.slice(0, row.indexOf('=')), row.slice(row.indexOf('=') + 1)]),
  )
  return {
    name: value.get('Id') || '',
    load: value.get('LoadState') || 'not-found',
    active: value.get('ActiveState') || 'inactive',
    sub: value.get('SubState') || 'dead',
    enabled: value.get('UnitFileState') || '',
    result: value.get('Result') || '',
    isReloadNeeded: value.get('NeedDaemonReload') === 'yes',
    mainPid: Number(value.get('MainPID') ?? 0),
    sinceSeconds: Number((value.get('StateChangeTimestamp') ?? '').replace(/^@/, '')) || 0,
    revision: value.get('Revision') || undefined,
    status: value.get('StatusText') || '',
    replacedLibraries: (value.get('ReplacedLibraries') || '').split(' ').filter((name) => name !== ''),
  }
}

/** The state of a unit by its full name; not for templates (`name@.service`). */
export function unitFact(unit: string): Fact<UnitState> {
  return {
    query: unitCommand([unit]),
    parse: ({ stdout }) => parse(stdout),
    batchQuery: unitQuery,
    subject: unit,
    // What a process says of itself, its number and times change while it does what it shall.
    planned: ({ load, active, enabled, isReloadNeeded, revision, replacedLibraries }) => ({
      ...{ load, active, enabled, isReloadNeeded, replacedLibraries },
      ...(revision === undefined ? {} : { revision }),
    }),
  }
}

/** All loaded units that match a pattern (`tappass*`). */
export function unitsFact(pattern: string): Fact<readonly UnitState[]> {
  return {
    query: unitCommand([pattern]),
    parse: (output) =>
      blocksOf(output)
        .map(parse)
        .filter(({ name }) => name !== ''),
  }
}
