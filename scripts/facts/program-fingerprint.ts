/** Fingerprints of unpacked programs, without reading the file: cheap enough for every run, and every change of the file changes it. */
import { createHash } from 'node:crypto'
import { scriptCommand } from '../core/command.ts'
import type { Command, Fact } from '../core/host.ts'

/**
 * Size, mtime and ctime to the nanosecond. ctime cannot be set: it changes whenever the file is written, replaced, truncated, chmodded or
 * chowned.
 */
const FORMAT = '%s %.9Y %.9Z'
const DIGITS = 16

/** 16 hex digits, the fingerprint of the program; undefined: it is absent. */
export function programFingerprintFact(path: string): Fact<string | undefined> {
  return {
    query: { argv: ['stat', `--printf=${FORMAT}`, '--', path], effect: 'read' },
    parse: ({ code, stdout }) =>
      code === 0 && stdout !== '' ? createHash('sha256').update(stdout).digest('hex').slice(0, DIGITS) : undefined,
  }
}

/** Writes `firstLine` and the fingerprint of the program into the file `marker`. Fails when the program is absent. */
export function writeFingerprintCommand(program: string, firstLine: string, marker: string): Command {
  return scriptCommand(
    'print=$(stat --printf="$1" -- "$2"); print=$(printf %s "$print" | sha256sum); printf "%s\\n%.*s" "$3" "$4" "$print" >"$5"; chmod 644 -- "$5"',
    [FORMAT, program, firstLine, `${DIGITS}`, marker],
  )
}
