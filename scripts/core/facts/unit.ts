/** What systemd says of units, and which revision each one runs. */
import type { Fact, Joint, Output } from '../host.ts'

/**
 * `load` is `not-found` for a unit that systemd doesn't know; `active`, `sub`, `enabled` and `result` are systemd's own words.
 * `revision` is the TAPPASS_REVISION of the running main process, or else what the unit left in /run/tappass/revision.
 */
export type UnitState = Readonly<{
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

const properties =
  'Id,LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,Result,MainPID,StateChangeTimestampMonotonic'
const divider = '=== revisions'

const script = `
s=$(systemctl show --no-pager -p ${properties} -- "$@" 2>/dev/null)
printf '%s\\n${divider}\\n' "$s"
for p in $(printf '%s\\n' "$s" | sed -n 's/^MainPID=\\([1-9][0-9]*\\)$/\\1/p'); do
  printf 'pid %s %s\\n' "$p" "$(tr '\\0' '\\n' 2>/dev/null <"/proc/$p/environ" | sed -n 's/^TAPPASS_REVISION=//p')"
done
for u do if [ -f "/run/tappass/revision/$u" ]; then printf 'file %s %s\\n' "$u" "$(cat "/run/tappass/revision/$u")"; fi; done
exit 0`

/** Answers come in the order of the units asked for, so aliases do no harm. */
const show: Joint = {
  ask: (units) => ({ argv: ['sh', '-c', script, 'sh', ...units], effect: 'read' }),
  split: (answer, units) => {
    const [blocks = '', revisions = ''] = answer.stdout.split(`${divider}\n`)
    const shown = blocks.trim().split('\n\n')
    const pieceOf = (unit: string, index: number): Output => {
      const block = shown[index] ?? ''
      const pid = /^MainPID=(\d+)$/m.exec(block)?.[1] ?? '0'
      const told = revisions.split('\n').map((row) => row.split(' '))
      const ofProcess = told.find(([from, which]) => from === 'pid' && which === pid)?.[2]
      const ofFile = told.find(([from, which]) => from === 'file' && which === unit)?.[2]
      return { code: answer.code, stdout: `${block}\nRevision=${ofProcess || ofFile || ''}`, stderr: '' }
    }
    return new Map(units.map((unit, index) => [unit, pieceOf(unit, index)]))
  },
}

const parse = ({ stdout }: Output): UnitState => {
  const value = new Map(
    stdout.split('\n').map((row) => [row.slice(0, row.indexOf('=')), row.slice(row.indexOf('=') + 1)]),
  )
  return {
    load: value.get('LoadState') || 'not-found',
    active: value.get('ActiveState') || 'inactive',
    sub: value.get('SubState') || 'dead',
    enabled: value.get('UnitFileState') || '',
    result: value.get('Result') || '',
    isReloadNeeded: value.get('NeedDaemonReload') === 'yes',
    mainPid: Number(value.get('MainPID') ?? 0),
    sinceSeconds: Number(value.get('StateChangeTimestampMonotonic') ?? 0) / 1e6,
    revision: value.get('Revision') || undefined,
  }
}

/** The state of one unit, by its full name; not of a template (`name@.service`). */
export const unitFact = (unit: string): Fact<UnitState> => ({
  ask: show.ask([unit]),
  parse,
  joint: show,
  subject: unit,
})
