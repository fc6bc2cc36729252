/** An error for the user: what failed, where, why, and the next command to type. */
import { EXIT_CODE, type ExitCode } from '../../contract/exit-code.ts'

/**
 * `what` is one line; `where`, `why` and `next` are printed on lines of their own when given. `next` names commands of ours as
 * `tappass …`; `renderFailure` writes them as they can be typed here.
 */
export type FailureText = Readonly<{ what: string; where?: string; why?: string; next?: string }>

/** Thrown by commands. Only `cli.ts` prints it, as `tappass: …` on stderr, and exits with `code`. */
export class Failure extends Error {
  readonly text: FailureText
  readonly code: ExitCode

  constructor(text: FailureText, code: ExitCode = EXIT_CODE.failed, cause?: unknown) {
    super(text.what, { cause })
    this.name = 'Failure'
    this.text = text
    this.code = code
  }
}

/** Ctrl-C or SIGTERM came before `what` was done (exit 130). */
export function interruptedFailure(what: string): Failure {
  return new Failure({ what: `interrupted ${what}` }, EXIT_CODE.interrupted)
}

/** An invalid command line or specification (exit 64). */
export function usageFailure(what: string, next: string): Failure {
  return new Failure({ what, next }, EXIT_CODE.usage)
}

/** Returns `next` with `program` in place of `tappass`, so that the command can be typed as it is shown. */
export function renderNext(next: string, program: string): string {
  return next.replaceAll(/(?<![\w./-])tappass(?= [a-z-])/g, () => program)
}

/** Returns the lines of a failure, without a trailing line end. `program` is what the user types to run TapPass. */
export function renderFailure(text: FailureText, program = 'tappass'): string {
  return [
    `tappass: ${text.what}`,
    ...(text.where === undefined ? [] : [`  where: ${text.where}`]),
    ...(text.why === undefined ? [] : [`  why:   ${text.why}`]),
    ...(text.next === undefined ? [] : [`  next:  ${renderNext(text.next, program)}`]),
  ].join('\n')
}

/** Thrown by a resource's `plan` when a person must fix something first (exit 5). A run collects all of them and changes nothing. */
export function refusedFailure(what: string, why: string, next: string): Failure {
  return new Failure({ what, why, next }, EXIT_CODE.refused)
}
