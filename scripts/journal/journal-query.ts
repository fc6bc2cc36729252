/** The question for the lines of a host's journal, and what of the command line decides on it. */
import { commandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { usageFailure } from '../core/failure.ts'
import type { Command } from '../core/host.ts'

/** `since` is an argument of journalctl. Without `lines` all are shown. */
export type JournalRequest = Readonly<{ isFollowing: boolean; since: string | undefined; lines: number | undefined }>

/** Without a start and a number; a journal may be gigabytes long. */
const LINES_DEFAULT = 100
const LINES_MAX = 10_000_000

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/

/** An age is counted by the clock of the host; a date without a zone is one of UTC, as all times here are. */
function readSince(invocation: Invocation, text: string): string {
  const [, count, unit = ''] = /^(\d{1,6})([smhdw])$/.exec(text) ?? []
  if (count !== undefined) return `-${Number(count) * (SECONDS[unit] ?? 1)}s`
  if (DATE.test(text)) {
    const written = text.replace(' ', 'T')
    const milliseconds = Date.parse(
      written.includes('T') && !/Z|[+-]\d{2}:\d{2}$/.test(written) ? `${written}Z` : written,
    )
    if (Number.isFinite(milliseconds) && milliseconds >= 0) return `@${Math.floor(milliseconds / 1000)}`
  }
  const what = `"--since" is an age (30s, 15m, 1h, 2d, 1w) or a date (2026-11-26, 2026-11-26T10:00Z), not "${text}"`
  throw usageFailure(what, commandHint(withoutOption(invocation, 'since'), 'logs', '--since', '1h'))
}

function readLines(invocation: Invocation, text: string): number {
  const lines = /^\d{1,8}$/.test(text) ? Number(text) : Number.NaN
  if (lines <= LINES_MAX) return lines
  throw usageFailure(
    `"--lines" is a number from 0 to ${LINES_MAX}, not "${text}"`,
    commandHint(withoutOption(invocation, 'lines'), 'logs', '--lines', '200'),
  )
}

function withoutOption({ options }: Invocation, name: string): Pick<Invocation, 'options'> {
  return { options: Object.fromEntries(Object.entries(options).filter(([each]) => each !== name)) }
}

/** Returns what the command line asks for. Throws a usage failure for what is not understood. */
export function readJournalRequest(invocation: Invocation): JournalRequest {
  const [since, lines] = [textOption(invocation, 'since'), textOption(invocation, 'lines')]
  return {
    isFollowing: isGiven(invocation, 'follow'),
    since: since === undefined ? undefined : readSince(invocation, since),
    lines: lines !== undefined ? readLines(invocation, lines) : since === undefined ? LINES_DEFAULT : undefined,
  }
}

/**
 * Ends with its standard input: whatever becomes of this machine, of its process or of the connection, no journalctl stays behind. The
 * shell reads, so that nobody else holds that input.
 */
const SCRIPT = `exec 3<&0 </dev/null
journalctl "$@" 3<&- & journal=$!
{ while read -r _; do :; done; kill "$journal"; } <&3 >/dev/null 2>&1 & watch=$!
exec 3<&-
code=0; wait "$journal" || code=$?
kill "$watch" 2>/dev/null
exit "$code"`

/** `--all`: long texts, too. Its own notices ("-- Journal begins at") are left out. */
const FORM = ['--no-pager', '--quiet', '--all', '--output=json'] as const
const FIELDS = '--output-fields=MESSAGE,PRIORITY,UNIT,_SYSTEMD_UNIT,SYSLOG_IDENTIFIER'

/** Returns the question. It is answered line by line, and ends when `ended` does, or by itself where it does not follow. */
export function journalCommand(
  { isFollowing, since, lines }: JournalRequest,
  units: readonly string[],
  ended: Promise<unknown>,
): Command {
  const args = [
    ...FORM,
    FIELDS,
    ...(isFollowing ? ['--follow'] : []),
    ...(since === undefined ? [] : [`--since=${since}`]),
    `--lines=${lines ?? 'all'}`,
    ...units.map((unit) => `--unit=${unit}`),
  ]
  // What does not follow ends by itself, and by the closed pipe.
  if (!isFollowing) return { argv: ['journalctl', ...args], effect: 'read', isStreamed: true }
  const open = async function* (): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(0)
    await ended
  }
  return { argv: ['sh', '-c', SCRIPT, 'sh', ...args], effect: 'read', isStreamed: true, stdin: { open } }
}
