/** The exit codes of the command line and of the gateway's processes (docs/reference/exit-codes.md); no other code is used. */

/** By meaning. `interrupted` is 128 + SIGINT; `usage` is EX_USAGE of sysexits.h. */
export const EXIT_CODE = {
  upToDate: 0,
  failed: 1,
  changesPending: 2,
  rolledBack: 3,
  locked: 4,
  refused: 5,
  unreachable: 6,
  usage: 64,
  interrupted: 130,
} as const

/** One of them. */
export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE]

const KNOWN: ReadonlySet<number> = new Set(Object.values(EXIT_CODE))

/**
 * Gives the code of a process as one of these. Any other one (127: not found; 137: out of memory; 243: a credential could not be
 * read) is a failure: a code that nobody knows must never count as less than one that is known.
 */
export function exitCodeOf(code: number): ExitCode {
  return KNOWN.has(code) ? (code as ExitCode) : EXIT_CODE.failed
}
