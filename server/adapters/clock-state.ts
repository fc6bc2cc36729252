/** Where this machine's time comes from, and how far it is off. */
import { access } from 'node:fs/promises'
import type { Clock, Database } from '../core/ports.ts'

/** Files by which the programs that set the clock are known. */
const SOURCES: readonly (readonly [path: string, name: string])[] = [
  ['/run/chrony/chronyd.pid', 'chrony'],
  ['/run/systemd/timesync/synchronized', 'systemd-timesyncd'],
  ['/run/ntpd.pid', 'ntpd'],
]

/**
 * Creates what says it, in one line: the program that sets the clock; the difference to the database's clock; and how far the
 * clock was set since this process started, against one that only runs forward.
 */
export function createClockState(database: Database, clock: Clock): () => Promise<string> {
  const startMs = clock.nowMs() - clock.elapsedMs()
  return async () => {
    const source = await sourceName()
    const beforeMs = clock.nowMs()
    const [row] = await database.query<{ ms: number }>(
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
    )
    const middleMs = (beforeMs + clock.nowMs()) / 2
    const setMs = clock.nowMs() - clock.elapsedMs() - startMs
    return `${source}, database ${signed((row?.ms ?? middleMs) - middleMs)}, set ${signed(setMs)}`
  }
}

async function sourceName(): Promise<string> {
  for (const [path, name] of SOURCES) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    )
    if (isThere) return name
  }
  return 'not synchronized'
}

function signed(ms: number): string {
  return `${ms < 0 ? '-' : '+'}${Math.abs(ms).toFixed(1)} ms`
}
