/** A plan that can't be made: something on the host must be put right by a person first. */
import { exitCode } from './exit-code.ts'
import { Failure } from './failure.ts'

/** Thrown by `plan`; all of one run are told together, and nothing is changed (exit 5). */
export const refusal = (what: string, why: string, next: string): Failure =>
  new Failure({ what, why, next }, exitCode.refused)
