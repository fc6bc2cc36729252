/** The clock of a host. */
import type { Fact } from '../core/host.ts'

/** What it shows, in seconds since 1970. */
export const hostClockFact: Fact<number> = {
  query: { argv: ['date', '+%s'], effect: 'read' },
  parse: ({ stdout }) => Number(stdout),
}
