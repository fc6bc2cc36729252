/** `tappass completion bash|zsh|fish`: prints the script that the shell's own start-up file evaluates. */
import { renderCompletion, SHELLS } from '../command-line/completion.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { EXIT_CODE } from '../core/exit-code.ts'
import { usageFailure } from '../core/failure.ts'

/** Prints it. */
export async function run({ operands, stdout, verbs }: Invocation): Promise<number> {
  const shell = SHELLS.find((each) => each === operands[0])
  if (shell === undefined || operands.length !== 1) {
    throw usageFailure(`"completion" takes one of ${SHELLS.join(', ')}`, 'tappass completion bash')
  }
  stdout.write(renderCompletion(shell, verbs))
  return EXIT_CODE.asWanted
}
