/** What the unit of a run writes, a line each: its events, and at last how it ended. */
import type { ExitCode } from '../../contract/exit-code.ts'
import type { FailureText } from '../core/failure.ts'
import type { Event } from '../output/event.ts'
import type { HostResult } from '../session/host-session.ts'

/** How a run ended: as a result, or with the failure that a run from elsewhere would have thrown. */
export type JobEnd = Readonly<{ result: HostResult }> | Readonly<{ failure: FailureText; code: ExitCode }>

/** A line of the file. `at` is when it happened, by the clock of the host. */
export type JobLine = Readonly<{ event: Event; at: string }> | Readonly<{ end: JobEnd }>

/** Returns the line, with its end. */
export function jobLine(line: JobLine): string {
  return `${JSON.stringify(line)}\n`
}

/** Returns what a line says; undefined for one that is cut off, as at the end of a run that was killed. */
export function parseJobLine(text: string): JobLine | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null) return undefined
    return 'event' in parsed || 'end' in parsed ? (parsed as JobLine) : undefined
  } catch {
    return undefined
  }
}
