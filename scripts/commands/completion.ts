/** `tappass completion bash|zsh|fish`: prints the script that the shell's own start-up file evaluates. */
import { renderCompletion, shells } from '../command-line/completion.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { exitCode } from '../core/exit-code.ts'
import { usageFailure } from '../core/failure.ts'

/** Prints it. */
export const run = async ({ operands, stdout, verbs }: Invocation): Promise<number> => {
  const shell = shells.find((each) => each === operands[0])
  if (shell === undefined || operands.length !== 1) {
    throw usageFailure(`"completion" takes one of ${shells.join(', ')}`, 'tappass completion bash')
  }
  stdout.write(renderCompletion(shell, verbs))
  return exitCode.asWanted
}
