/** What an unpacked program is like, told without reading it: cheap enough to ask at every run, and no change of its file leaves it as it was. */
import { createHash } from 'node:crypto'
import { changeByScript } from '../core/command.ts'
import type { Command, Fact } from '../core/host.ts'

/**
 * Size, and when content (st_mtim) and the file itself (st_ctim) changed last, to the nanosecond. The last can't be set back: it moves
 * when somebody writes, replaces, truncates, chmods or chowns the file.
 */
const format = '%s %.9Y %.9Z'
const digits = 16

/** 16 hex digits that stand for what the program is like now; undefined where it is absent. */
export const programFact = (path: string): Fact<string | undefined> => ({
  ask: { argv: ['stat', `--printf=${format}`, '--', path], effect: 'read' },
  parse: ({ code, stdout }) =>
    code === 0 && stdout !== '' ? createHash('sha256').update(stdout).digest('hex').slice(0, digits) : undefined,
})

/** Writes at `marker` the line `first`, and below it what the program is like. Fails where the program is absent. */
export const noteProgram = (program: string, first: string, marker: string): Command =>
  changeByScript(
    'like=$(stat --printf="$1" -- "$2"); like=$(printf %s "$like" | sha256sum); printf "%s\\n%.*s" "$3" "$4" "$like" >"$5"; chmod 644 -- "$5"',
    [format, program, first, `${digits}`, marker],
  )
