/** A guarded change of a run that ended before it was confirmed: put back first, so that what follows is planned on firm ground. */
import { HOST_PATH } from '../../contract/path.ts'
import { scriptCommand } from '../core/command.ts'
import { GUARD_TIMER, restoreCommand } from '../core/guard.ts'
import type { Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'
import { REMOVAL_REASON } from '../files/removal.ts'

/** What it would put back is gone by then, or is not ours. */
const FORGET_SCRIPT = 'systemctl stop "$2.timer" "$2.service" 2>/dev/null || true; rm -rf -- "$1"'

/** That no change waits for its confirmation. */
export function pendingGuard(): Resource {
  return {
    id: 'pending-guard:host',
    absent: async (getFact) => {
      const folder = await getFact(pathFact(HOST_PATH.guardFolder))
      if (folder.kind === 'absent') return []
      const forget = scriptCommand(FORGET_SCRIPT, [HOST_PATH.guardFolder, GUARD_TIMER])
      return [{ action: `remove ${HOST_PATH.guardFolder}`, reason: REMOVAL_REASON, commands: [forget] }]
    },
    plan: async (getFact) => {
      const pending = await getFact(pathFact(`${HOST_PATH.guardFolder}/pending`))
      if (pending.kind === 'absent') return []
      const reason = 'the run that made it ended before it was confirmed over a new connection'
      return [{ action: 'put back a change that was not confirmed', reason, commands: [restoreCommand()] }]
    },
  }
}
