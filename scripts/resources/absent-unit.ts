/** A systemd unit of ours that a setting has made superfluous: stopped, disabled, and its file removed. */
import { leavesNothing, type Resource } from '../core/resource.ts'
import { planUnitAbsent } from '../files/removal.ts'

/** `reason` names the setting. */
export type AbsentUnitOptions = Readonly<{ name: string; reason: string }>

/** The absence of the unit. A process without its file is stopped, too. */
export function absentUnit({ name, reason }: AbsentUnitOptions): Resource {
  return {
    id: `absent-unit:${name}`,
    absent: leavesNothing('it is absent already'),
    plan: (getFact) => planUnitAbsent(getFact, name, reason),
  }
}
