/** An entry of a host's journal, as journalctl writes it with `--output=json`. All of it is the host's own word. */

/** `loggedAt` is ISO time by the host's clock; `priority` is syslog's (0 to 7, 3 and less are errors). */
export type JournalEntry = Readonly<{ loggedAt: string; unit: string; priority: number; message: string }>

/** journald gives a text that is not UTF-8 as a list of its bytes; of a field that is there several times, a list of texts. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return ''
  if (value.every((each) => typeof each === 'number')) return Buffer.from(value).toString('utf8')
  return value.map(textOf).join(' ')
}

/** Returns the entry in a line of journalctl; undefined where the line is none. */
export function parseJournalEntry(line: string): JournalEntry | undefined {
  if (!line.startsWith('{')) return undefined
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
  const at = new Date(Number(textOf(fields['__REALTIME_TIMESTAMP']) || Number.NaN) / 1000)
  const [of, by, identifier] = ['UNIT', '_SYSTEMD_UNIT', 'SYSLOG_IDENTIFIER'].map((name) => textOf(fields[name]))
  const priority = Number(textOf(fields['PRIORITY']) || 6)
  return {
    loggedAt: Number.isFinite(at.getTime()) ? at.toISOString() : '',
    // What systemd says about a unit names it in UNIT.
    unit: of || by || identifier || '',
    priority: priority >= 0 && priority <= 7 ? priority : 6,
    message: textOf(fields['MESSAGE']).replace(/\n$/, ''),
  }
}
