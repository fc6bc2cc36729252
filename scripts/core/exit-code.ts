/** The exit codes of the command line, as docs/reference/exit-codes.md lists them; there are no others. */

/** Exit codes by meaning. `interrupted` is 128 + SIGINT; `usage` is EX_USAGE of sysexits.h. */
export const EXIT_CODE = {
  success: 0,
  failed: 1,
  changesPending: 2,
  rolledBack: 3,
  locked: 4,
  refused: 5,
  unreachable: 6,
  usage: 64,
  interrupted: 130,
} as const

/** An exit code of the table. */
export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE]
