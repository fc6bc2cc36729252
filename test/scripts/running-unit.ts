/** What systemd says of a unit that runs; tests change what they are about. */
import type { UnitState } from '../../scripts/facts/unit.ts'

/** Enabled and running, with nothing to say of itself. */
export const RUNNING_UNIT: UnitState = {
  name: 'x.service',
  load: 'loaded',
  active: 'active',
  sub: 'running',
  enabled: 'enabled',
  result: 'success',
  isReloadNeeded: false,
  mainPid: 7,
  replacedLibraries: [],
  sinceSeconds: 1,
  revision: 'aaaa',
  status: '',
}
