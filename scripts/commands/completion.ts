/** `tappass completion bash|zsh|fish`: prints the completion script for the start-up file of a shell. */

import { EXIT_CODE } from '../../contract/exit-code.ts'
import { renderCompletion, SHELLS } from '../command-line/completion.ts'
import type { Invocation } from '../command-line/invocation.ts'

/** Prints the script. Returns the exit code. */
export async function run({ operands, stdout, verbs }: Invocation): Promise<number> {
  const shell = SHELLS.find((each) => each === operands[0])
  if (shell === undefined) throw new Error(`${operands[0]} is in the command table but not implemented`)
  stdout.write(renderCompletion(shell, verbs))
  return EXIT_CODE.upToDate
}
