/** Fingerprints of unpacked programs, without reading the file: cheap enough for every run, and every change of the file changes it. */
import { scriptCommand } from '../core/command.ts'
import type { Command, Fact } from '../core/host.ts'
import { sha256Of } from '../core/sha256.ts'

/**
 * Size, mtime and ctime to the nanosecond. ctime cannot be set: it changes whenever the file is written, replaced, truncated, chmodded or
 * chowned.
 */
const FORMAT = '%s %.9Y %.9Z'
const DIGITS = 16

/** 16 hex digits, the fingerprint of the programs together; undefined: one is absent. */
export function programFingerprintFact(...paths: readonly string[]): Fact<string | undefined> {
  return {
    query: { argv: ['stat', `--printf=${FORMAT}`, '--', ...paths], effect: 'read' },
    parse: ({ code, stdout }) => (code === 0 && stdout !== '' ? sha256Of(stdout).slice(0, DIGITS) : undefined),
  }
}

/** Writes a first line (given, or what stands in a file) and the fingerprint of the programs into the file `marker`. Fails when one is absent. */
export function writeFingerprintCommand(
  programs: readonly string[],
  firstLine: string | Readonly<{ file: string }>,
  marker: string,
): Command {
  const [line, file] = typeof firstLine === 'string' ? [firstLine, ''] : ['', firstLine.file]
  return scriptCommand(
    'format=$1 line=$2 digits=$3 marker=$4; [ -z "$5" ] || line=$(cat "$5"); shift 5; print=$(stat --printf="$format" -- "$@"); print=$(printf %s "$print" | sha256sum); printf "%s\\n%.*s" "$line" "$digits" "$print" >"$marker"; chmod 644 -- "$marker"',
    [FORMAT, line, `${DIGITS}`, marker, file, ...programs],
  )
}
