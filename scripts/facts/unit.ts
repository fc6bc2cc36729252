/** Facts about systemd units, and the revision that each one runs. */
import { HOST_PATH } from '../../contract/path.ts'
import type { BatchQuery, Command, Fact, Output } from '../core/host.ts'

/**
 * `load` is `not-found` for an unknown unit; `active`, `sub`, `enabled` and `result` are systemd's values. `revision` is
 * TAPPASS_REVISION of the running main process, or else the file of the unit in /run/tappass/revision. `sinceSeconds` is the time of the
 * last state change (seconds since 1970; 0: never). `status` is what the process says of itself (STATUS=, sd_notify), else empty.
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
}>

const PROPERTIES =
  'Id,LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,Result,MainPID,StateChangeTimestamp,StatusText'
const DIVIDER = '=== revisions'

/** `$@` are units or patterns. The second part of the output has a row for each process and each file with a revision (NAME.read: what a unit read). */
const UNIT_SCRIPT = String.raw`
s=$(systemctl show --all --no-pager --timestamp=unix -p ${PROPERTIES} -- "$@" 2>/dev/null)
printf '%s\n${DIVIDER}\n' "$s"
set -- $(printf '%s\n' "$s" | sed -n 's:^MainPID=\([1-9][0-9]*\)$:/proc/\1/environ:p')
[ $# = 0 ] || grep -azHs '^TAPPASS_REVISION=' "$@" | tr '\0' '\n' | sed 's:^/proc/\([0-9]*\)/environ\:TAPPASS_REVISION=:\1 :'
cd ${HOST_PATH.revisionFolder} 2>/dev/null || exit 0
for f in *; do case "$f" in *.read) ;; *) [ ! -f "$f" ] || { read -r line <"$f"; printf '%s %s\n' "$f" "$line"; } ;; esac; done
exit 0`

function unitCommand(units: readonly string[]): Command {
  return { argv: ['sh', '-c', UNIT_SCRIPT, 'sh', ...units], effect: 'read' }
}

/** Returns the blocks of `systemctl show`, each with the revision as an additional row. */
function blocksOf({ stdout }: Output): readonly string[] {
  const [properties = '', revisionRows = ''] = stdout.split(`${DIVIDER}\n`)
  const revisions = new Map(revisionRows.split('\n').map((row) => row.split(' ') as [string, string]))
  return properties
    .trim()
    .split('\n\n')
    .map((block) => {
      const value = (name: string) => new RegExp(`^${name}=(.+)$`, 'm').exec(block)?.[1] ?? ''
      const revision = revisions.get(value('MainPID')) || revisions.get(value('Id')) || ''
      return `${block}\nRevision=${revision}`
    })
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
  }
}

/** The state of a unit by its full name; not for templates (`name@.service`). */
export function unitFact(unit: string): Fact<UnitState> {
  return {
    query: unitCommand([unit]),
    parse: ({ stdout }) => parse(stdout),
    batchQuery: unitQuery,
    subject: unit,
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
