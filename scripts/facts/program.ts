/** What an unpacked program is like, told without reading it: cheap enough to ask at every run, and no change of its file leaves it as it was. */
import { createHash } from 'node:crypto'
import { changeByScript } from '../core/command.ts'
import type { Command, Fact } from '../core/host.ts'

/**
 * Size, and when content (st_mtim) and the file itself (st_ctim) changed last, to the nanosecond. The last can't be set back: it moves
 * when somebody writes, replaces, truncates, chmods or chowns the file.
 */
const FORMAT = '%s %.9Y %.9Z'
const DIGITS = 16

/** 16 hex digits that stand for what the program is like now; undefined where it is absent. */
export function programFact(path: string): Fact<string | undefined> {
  return {
    ask: { argv: ['stat', `--printf=${FORMAT}`, '--', path], effect: 'read' },
    parse: ({ code, stdout }) =>
      code === 0 && stdout !== '' ? createHash('sha256').update(stdout).digest('hex').slice(0, DIGITS) : undefined,
  }
}

/** Writes at `marker` the line `first`, and below it what the program is like. Fails where the program is absent. */
export function noteProgram(program: string, first: string, marker: string): Command {
  return changeByScript(
    'like=$(stat --printf="$1" -- "$2"); like=$(printf %s "$like" | sha256sum); printf "%s\\n%.*s" "$3" "$4" "$like" >"$5"; chmod 644 -- "$5"',
    [FORMAT, program, first, `${DIGITS}`, marker],
  )
}
