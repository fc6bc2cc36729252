/**
 * Several commands in one POSIX script, and their outputs told apart again: the way to one round trip.
 * Each command ends with a line on both streams that carries a number nobody can guess, so no output can forge it.
 */
import { createHash } from 'node:crypto'
import type { Command, Output } from '../core/host.ts'
import { quote, quoteAll } from '../core/quoting.ts'

/** Fixed for every command on every host: what a program prints and where it is found must not depend on who connects. */
export const HOST_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
} as const

const PRELUDE = [
  'set -u',
  'umask 022',
  ...Object.entries(HOST_ENVIRONMENT).map(([name, value]) => `${name}=${value}; export ${name}`),
]

function line(command: Command, closed: string): string {
  if (command.stdin === undefined) return `${quoteAll(command.argv)} </dev/null${closed}`
  if (typeof command.stdin !== 'string') throw new TypeError('only text can be part of a batch')
  return `printf %s ${quote(command.stdin)} | ${quoteAll(command.argv)}${closed}`
}

/** Whether a command can be part of a batch: its standard input, if any, is text without NUL. */
export function isBatchable({ stdin }: Command): boolean {
  return stdin === undefined || (typeof stdin === 'string' && !stdin.includes('\0'))
}

/** All of them, whatever their codes; the whole of standard output is summed at the end, so that a cut is seen. */
export function questionScript(commands: readonly Command[], nonce: string): string {
  return [
    '{', // read to its end before anything runs: a script that was cut off does nothing
    ...PRELUDE,
    `end() { printf '\\n%s %d %d\\n' ${nonce} "$1" "$2"; printf '\\n%s %d %d\\n' ${nonce} "$1" "$2" >&2; }`,
    `{ { { ${commands.map((command, index) => `${line(command, ' 3>&- 4>&-')}; end ${index} $?`).join('\n')}`,
    `} | tee /dev/fd/3 | sha256sum | { read -r sum rest; printf '\\n%s sum %s\\n' ${nonce} "$sum" >&4; }; } 3>&1 | cat; } 4>&2`,
    '}',
    '',
  ].join('\n')
}

/** Locked while a change runs. A run that takes over from a killed one waits for it, so that nothing is left running beside it. */
export const CHANGE_GUARD = '/run/tappass-converge/changing'

/** One after the other until one fails. The shell alone holds the kernel's lock on the guard: what it starts does not inherit it. */
export function changeScript(commands: readonly Command[], nonce: string): string {
  return [
    '{',
    ...PRELUDE,
    'HOME=/root; export HOME',
    `mkdir -p -m 0700 /run/tappass-converge && exec 9>${CHANGE_GUARD} && flock -w 900 9 || { echo 'what an earlier run started is still running' >&2; exit 75; }`,
    `end() { printf '\\n%s %d %d\\n' ${nonce} "$1" "$2"; printf '\\n%s %d %d\\n' ${nonce} "$1" "$2" >&2; [ "$2" = 0 ] || exit "$2"; }`,
    ...commands.map((command, index) => `${line(command, ' 9>&-')}; end ${index} $?`),
    '}',
    '',
  ].join('\n')
}

function cut(stream: string, nonce: string): ReadonlyMap<number, Readonly<{ code: number; text: string }>> {
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

/** The outputs of the commands that ended, in order; one that was cut off is missing. */
export function readBatch(output: Output, nonce: string, count: number): readonly Output[] {
  const bytes = output.stdoutBytes ?? Buffer.from(output.stdout)
  const stdout = cut(Buffer.from(bytes).toString('latin1'), nonce)
  const stderr = cut(Buffer.from(output.stderr).toString('latin1'), nonce)
  const outputs: Output[] = []
  for (let index = 0; index < count; index++) {
    const piece = stdout.get(index)
    if (piece === undefined) break
    outputs.push({ code: piece.code, stdout: piece.text, stderr: stderr.get(index)?.text ?? '' })
  }
  return outputs
}

/** Whether every byte of standard output arrived, by the sum that closes the questions' script. */
export function isWhole(output: Output, nonce: string): boolean {
  const told = new RegExp(`\\n${nonce} sum ([0-9a-f]{64})\\n`).exec(output.stderr)?.[1]
  return (
    told ===
    createHash('sha256')
      .update(output.stdoutBytes ?? output.stdout)
      .digest('hex')
  )
}

/** The text after the last command that ended: what the one that failed to end had said. */
export function restOf(stream: string, nonce: string): string {
  return stream.slice(stream.lastIndexOf(`\n${nonce} `) + 1)
}
