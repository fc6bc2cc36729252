/** A systemd unit of ours that a setting has made superfluous: stopped, disabled, and its file removed. */
import { scriptCommand } from '../core/command.ts'
import type { Resource } from '../core/resource.ts'
import { unitPath } from '../core/unit-command.ts'
import { pathFact } from '../facts/path.ts'
import { unitFact } from '../facts/unit.ts'

/** `reason` names the setting. */
export type AbsentUnitOptions = Readonly<{ name: string; reason: string }>

const REMOVE_SCRIPT = `systemctl disable --now "$1" 2>/dev/null || systemctl stop "$1"
rm -f -- "$2"; systemctl daemon-reload; systemctl reset-failed "$1" 2>/dev/null || true`

/** The absence of the unit. A process without its file is stopped, too. */
export function absentUnit({ name, reason }: AbsentUnitOptions): Resource {
  const path = unitPath(name)
  return {
    id: `absent-unit:${name}`,
    plan: async (getFact) => {
      const [file, { active }] = await Promise.all([getFact(pathFact(path)), getFact(unitFact(name))])
      if (file.kind === 'absent' && (active === 'inactive' || active === 'deactivating')) return []
      return [{ action: `stop and remove ${name}`, reason, commands: [scriptCommand(REMOVE_SCRIPT, [name, path])] }]
    },
  }
}
