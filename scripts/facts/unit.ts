/** What systemd says of units, and which revision each one runs. */
import type { Command, Fact, Joint, Output } from '../core/host.ts'

/**
 * `load` is `not-found` for a unit that systemd doesn't know; `active`, `sub`, `enabled` and `result` are systemd's own words.
 * `revision` is the TAPPASS_REVISION of the running main process, or else what the unit left in /run/tappass/revision.
 * `sinceSeconds` is when it came into this state (seconds since 1970; 0: never).
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
}>

const PROPERTIES =
  'Id,LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,Result,MainPID,StateChangeTimestamp'
const DIVIDER = '=== revisions'

/** `$@` are units or patterns. The second part has one row for each process and each file that tells a revision (NAME.read is what a unit read). */
const script = String.raw`
s=$(systemctl show --all --no-pager --timestamp=unix -p ${PROPERTIES} -- "$@" 2>/dev/null)
printf '%s\n${DIVIDER}\n' "$s"
for p in $(printf '%s\n' "$s" | sed -n 's/^MainPID=\([1-9][0-9]*\)$/\1/p'); do
  printf '%s %s\n' "$p" "$(tr '\0' '\n' 2>/dev/null <"/proc/$p/environ" | sed -n 's/^TAPPASS_REVISION=//p')"
done
cd /run/tappass/revision 2>/dev/null || exit 0
for f in *; do case "$f" in *.read) ;; *) [ ! -f "$f" ] || { read -r line <"$f"; printf '%s %s\n' "$f" "$line"; } ;; esac; done
exit 0`

function ask(units: readonly string[]): Command {
  return { argv: ['sh', '-c', script, 'sh', ...units], effect: 'read' }
}

/** The blocks of `systemctl show`, each with its revision as one more row. */
function blocksOf({ stdout }: Output): readonly string[] {
  const [shown = '', told = ''] = stdout.split(`${DIVIDER}\n`)
  const revisions = new Map(told.split('\n').map((row) => row.split(' ') as [string, string]))
  return shown
    .trim()
    .split('\n\n')
    .map((block) => {
      const value = (name: string) => new RegExp(`^${name}=(.+)$`, 'm').exec(block)?.[1] ?? ''
      const revision = revisions.get(value('MainPID')) || revisions.get(value('Id')) || ''
      return `${block}\nRevision=${revision}`
    })
}

/** Answers come in the order of the units asked for, so aliases do no harm. */
const show: Joint = {
  ask,
  split: (answer, units) => {
    const blocks = blocksOf(answer)
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
  }
}

/** The state of one unit, by its full name; not of a template (`name@.service`). */
export function unitFact(unit: string): Fact<UnitState> {
  return {
    ask: ask([unit]),
    parse: ({ stdout }) => parse(stdout),
    joint: show,
    subject: unit,
  }
}

/** All units in systemd's memory that fit a pattern (`tappass*`). */
export function unitsFact(pattern: string): Fact<readonly UnitState[]> {
  return {
    ask: ask([pattern]),
    parse: (answer) =>
      blocksOf(answer)
        .map(parse)
        .filter(({ name }) => name !== ''),
  }
}
