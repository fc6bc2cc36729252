/** An end of a command that the user must read: what failed, where, why, and what to type next. */
import { EXIT_CODE, type ExitCode } from './exit-code.ts'

/** `what` is one line; `where`, `why` and `next` are shown on lines of their own when given. */
export type FailureText = Readonly<{ what: string; where?: string; why?: string; next?: string }>

/** Thrown by commands; `cli.ts` alone prints it, as `tappass: …` on stderr, and exits with `code`. */
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

/** A command line that can't be understood: exit 64. `next` usually names the nearest word. */
export function usageFailure(what: string, next: string): Failure {
  return new Failure({ what, next }, EXIT_CODE.usage)
}

/** The lines of a failure, without a line end after the last. */
export function renderFailure(text: FailureText): string {
  return [
    `tappass: ${text.what}`,
    ...(text.where === undefined ? [] : [`  where: ${text.where}`]),
    ...(text.why === undefined ? [] : [`  why:   ${text.why}`]),
    ...(text.next === undefined ? [] : [`  next:  ${text.next}`]),
  ].join('\n')
}

/** Thrown by `plan`; all of one run are told together, and nothing is changed (exit 5). */
export function refusal(what: string, why: string, next: string): Failure {
  return new Failure({ what, why, next }, EXIT_CODE.refused)
}
