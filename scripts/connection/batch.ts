/**
 * Runs several commands as one POSIX script and splits the output again: one round trip.
 * After each command a marker line with a random nonce is printed on both streams; no output can forge it.
 */

import { createHash } from 'node:crypto'
import { HOST_PATH } from '../../contract/path.ts'
import { deadlineMsOf, timeoutArgv } from '../core/command.ts'
import type { Command, Output } from '../core/host.ts'
import { quote, quoteAll } from '../core/quoting.ts'

/** The environment of every command on every host: output and program paths must not depend on the account. */
export const HOST_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
} as const

const PRELUDE = [
  'set -u',
  'umask 022',
  ...Object.entries(HOST_ENVIRONMENT).map(([name, value]) => `${name}=${value}; export ${name}`),
]

function scriptLine({ argv, stdin }: Pick<Command, 'argv' | 'stdin'>, redirections: string): string {
  if (stdin === undefined) return `${quoteAll(argv)} </dev/null${redirections}`
  if (typeof stdin !== 'string') throw new TypeError('only text can be part of a batch')
  return `printf %s ${quote(stdin)} | ${quoteAll(argv)}${redirections}`
}

/** Whether a command can be part of a batch: its standard input is absent or text without NUL. */
export function isBatchable({ stdin }: Command): boolean {
  return stdin === undefined || (typeof stdin === 'string' && !stdin.includes('\0'))
}

type Query = Pick<Command, 'argv' | 'stdin' | 'isLong'>

function queryLines(commands: readonly Query[], first: number, redirections: string): string {
  return commands.map((command, index) => `${scriptLine(command, redirections)}; end ${first + index} $?`).join('\n')
}

/**
 * Both lists at a time, each in its order, and the output of the second one behind that of the first one on both streams: as if they had
 * been run one after the other. What the second one says on standard error (5) is held until nobody can write to it any more.
 */
function sideBySide(one: readonly Query[], other: readonly Query[], redirections: string): string {
  return [
    `{ { { ${queryLines(other, one.length, redirections)}`,
    `} 2>&5 5>&- 6>&- | { ${queryLines(one, 0, `${redirections} 5>&- 6>&-`)}`,
    `cat; } >&6 6>&-; } 5>&1 | { held=$(cat); printf '%s\\n' "$held" >&2; }; } 6>&1`,
  ].join('\n')
}

/** Returns the queries in the order in which `factScript` wants them: those that keep the host busy come last. */
export function inScriptOrder<T>(queries: readonly T[], commandOf: (query: T) => Query): readonly T[] {
  const isLong = (query: T) => commandOf(query).isLong === true
  return [...queries.filter((each) => !isLong(each)), ...queries.filter(isLong)]
}

/**
 * Returns the script that runs all commands, whatever their exit codes; a checksum of standard output at the end reveals truncation. Those
 * that keep the host busy, the last ones, run beside the others.
 */
export function factScript(commands: readonly Query[], nonce: string): string {
  const redirections = ' 3>&- 4>&-'
  const split = commands.findIndex(({ isLong }) => isLong === true)
  const body =
    split <= 0
      ? queryLines(commands, 0, redirections)
      : sideBySide(commands.slice(0, split), commands.slice(split), redirections)
  return [
    '{', // parsed to its end before anything runs: a truncated script does nothing
    ...PRELUDE,
    `end() { printf '\\n%s %d %d\\n' ${nonce} "$1" "$2"; printf '\\n%s %d %d\\n' ${nonce} "$1" "$2" >&2; }`,
    `{ { { ${body}`,
    `} | tee /dev/fd/3 | sha256sum | { read -r sum rest; printf '\\n%s sum %s\\n' ${nonce} "$sum" >&4; }; } 3>&1 | cat; } 4>&2`,
    '}',
    '',
  ].join('\n')
}

/** Locked with flock while a change runs. A run that takes over from a killed one waits for this lock, so that no command of that run is still active. */
export const CHANGE_LOCK_PATH = `${HOST_PATH.convergeFolder}/changing`

/** What ending a command takes at most, and the script's own work around it. */
const KILL_MS = 10_000
/** How long a change waits for commands that an earlier run has left running. */
const EARLIER_RUN_SECONDS = 900

/** Returns the deadline of the script: each command has its own in it. */
export function changeScriptDeadlineMs(commands: readonly Command[]): number {
  return commands.reduce((sum, command) => sum + deadlineMsOf(command) + KILL_MS, EARLIER_RUN_SECONDS * 1000 + KILL_MS)
}

/** Returns the script that runs the commands in order until one fails, each with its deadline. Only the shell holds the kernel lock: its children don't inherit it. */
export function changeScript(commands: readonly Command[], nonce: string): string {
  return [
    '{',
    ...PRELUDE,
    'HOME=/root; export HOME',
    `mkdir -p -m 0700 ${HOST_PATH.convergeFolder} && exec 9>${CHANGE_LOCK_PATH} && flock -w ${EARLIER_RUN_SECONDS} 9 || { echo 'a command of an earlier run is still running (waited ${EARLIER_RUN_SECONDS} s)' >&2; exit 75; }`,
    `end() { printf '\\n%s %d %d\\n' ${nonce} "$1" "$2"; printf '\\n%s %d %d\\n' ${nonce} "$1" "$2" >&2; [ "$2" = 0 ] || exit "$2"; }`,
    ...commands.map(
      (command, index) => `${scriptLine({ ...command, argv: timeoutArgv(command) }, ' 9>&-')}; end ${index} $?`,
    ),
    '}',
    '',
  ].join('\n')
}

function splitAtMarkers(stream: string, nonce: string): ReadonlyMap<number, Readonly<{ code: number; text: string }>> {
  const pieces = new Map<number, { code: number; text: string }>()
  const marker = new RegExp(`\\n${nonce} (\\d+) (\\d+)\\n`, 'g')
  let start = 0
  for (const found of stream.matchAll(marker)) {
    const text = Buffer.from(stream.slice(start, found.index), 'latin1').toString('utf8')
    pieces.set(Number(found[1]), { code: Number(found[2]), text })
    start = found.index + found[0].length
  }
  return pieces
}

/** Returns the outputs of the commands that ended, in order; an incomplete one is missing. */
export function parseBatch(output: Output, nonce: string, count: number): readonly Output[] {
  const bytes = output.stdoutBytes ?? Buffer.from(output.stdout)
  const stdout = splitAtMarkers(Buffer.from(bytes).toString('latin1'), nonce)
  const stderr = splitAtMarkers(Buffer.from(output.stderr).toString('latin1'), nonce)
  const outputs: Output[] = []
  for (let index = 0; index < count; index++) {
    const piece = stdout.get(index)
    if (piece === undefined) break
    outputs.push({ code: piece.code, stdout: piece.text, stderr: stderr.get(index)?.text ?? '' })
  }
  return outputs
}

/** Whether all of standard output arrived, by the checksum at the end of the fact script. */
export function isComplete(output: Output, nonce: string): boolean {
  const expected = new RegExp(`\\n${nonce} sum ([0-9a-f]{64})\\n`).exec(output.stderr)?.[1]
  return (
    expected ===
    createHash('sha256')
      .update(output.stdoutBytes ?? output.stdout)
      .digest('hex')
  )
}

/** Returns the output after the last marker: that of a command that did not end. */
export function incompleteOutput(stream: string, nonce: string): string {
  return stream.slice(stream.lastIndexOf(`\n${nonce} `) + 1)
}
