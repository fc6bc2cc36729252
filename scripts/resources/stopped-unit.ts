/** A systemd unit that is prepared and does not run: its file stays, for the day on which a setting wants it. */
import { changeCommand, within } from '../core/command.ts'
import type { Resource } from '../core/resource.ts'
import { unitFact } from '../facts/unit.ts'
import { planUnitAbsent } from '../files/removal.ts'

/** `reason` names the setting. */
export type StoppedUnitOptions = Readonly<{ name: string; reason: string }>

/** Longer than what it has in hand may take to end. */
const STOP_MINUTES = 10

/** Plans to stop and disable the unit while it runs or would start at boot. */
export function stoppedUnit({ name, reason }: StoppedUnitOptions): Resource {
  return {
    id: `stopped-unit:${name}`,
    absent: (getFact) => planUnitAbsent(getFact, name),
    plan: async (getFact) => {
      const { active, enabled } = await getFact(unitFact(name))
      const isStopped = active === 'inactive' || active === 'deactivating'
      if (isStopped && enabled !== 'enabled') return []
      const stop = within(STOP_MINUTES, changeCommand('systemctl', 'disable', '--now', name))
      return [{ action: `stop and disable ${name}`, reason, commands: [stop] }]
    },
  }
}
