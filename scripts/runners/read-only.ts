/** A runner for `plan` and `status` that never changes a host. */
import type { Runner } from '../core/host.ts'

/** Returns a runner that passes read commands on and throws for a command that may change the host. */
export function readOnly(run: Runner): Runner {
  return async (command, onLine) => {
    if (command.effect !== 'read')
      throw new Error(`a command that may change the host was given to a read-only runner: ${command.argv[0]}`)
    return await run(command, onLine)
  }
}
