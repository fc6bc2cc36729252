/** A guarded change of a run that ended before it was confirmed: put back first, so that what follows is planned on firm ground. */
import { HOST_PATH } from '../../contract/path.ts'
import { restoreCommand } from '../core/guard.ts'
import type { Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'

/** That no change waits for its confirmation. */
export function pendingGuard(): Resource {
  return {
    id: 'pending-guard:host',
    plan: async (getFact) => {
      const pending = await getFact(pathFact(`${HOST_PATH.guardFolder}/pending`))
      if (pending.kind === 'absent') return []
      const reason = 'the run that made it ended before it was confirmed over a new connection'
      return [{ action: 'put back a change that was not confirmed', reason, commands: [restoreCommand()] }]
    },
  }
}
