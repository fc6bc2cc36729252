/** A runner that can look and not touch: what `plan` and `status` are given. */
import type { Runner } from '../core/host.ts'

/** Passes questions on; throws for a command that may change the host. */
export function readOnly(run: Runner): Runner {
  return async (command, hear) => {
    if (command.effect !== 'read')
      throw new Error(`a command that may change the host was given to a read-only runner: ${command.argv[0]}`)
    return await run(command, hear)
  }
}
