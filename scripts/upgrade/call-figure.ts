/** How many calls the instances have in hand, by what they tell systemd. */
import type { Fact } from '../core/host.ts'

/** Of all instances together; null where one does not say. */
export type CallFigures = Readonly<{ inFlight: number | null }>

const SCRIPT = `systemctl show --property=StatusText 'tappass@*.service' 2>/dev/null; :`

/** The figures as they are now; they change by themselves. */
export const callFiguresFact: Fact<CallFigures> = {
  query: { argv: ['sh', '-c', SCRIPT], effect: 'read' },
  parse: ({ stdout }) => {
    const found = [...stdout.matchAll(/ (\d+) in flight/g)].map(([, count]) => Number(count))
    return { inFlight: found.length === 0 ? null : found.reduce((sum, count) => sum + count, 0) }
  },
  planned: () => undefined,
}
