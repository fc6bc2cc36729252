/** A runner that records its commands: for measurements and tests of round trips. */
import type { Command, Runner } from '../../scripts/core/host.ts'

/** The runner, and the commands it ran, in order. */
export type Recording = Readonly<{ run: Runner; commands: readonly Command[] }>

/** Returns a runner that passes all commands on and records them. */
export function recording(run: Runner): Recording {
  const commands: Command[] = []
  return {
    commands,
    run: (command, onLine) => {
      commands.push(command)
      return run(command, onLine)
    },
  }
}
