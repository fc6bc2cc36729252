/** A runner that counts: how many round trips a run took, and with which commands. For figures and tests. */
import type { Command, Runner } from '../core/host.ts'

/** The runner, and what went through it, in order. */
export type Recording = Readonly<{ run: Runner; commands: readonly Command[] }>

/** Passes everything on. */
export function recording(run: Runner): Recording {
  const commands: Command[] = []
  return {
    commands,
    run: (command, hear) => {
      commands.push(command)
      return run(command, hear)
    },
  }
}
