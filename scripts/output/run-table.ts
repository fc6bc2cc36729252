/** The table at the end of a run on several hosts: how it ended on each, how long that took, and what to type next. */
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { renderNext } from '../core/failure.ts'
import type { Event } from './event.ts'
import type { OutputStreams, Renderer } from './renderer.ts'
import { OUTCOME_TEXTS } from './text-renderer.ts'
import { renderTable } from './text-table.ts'

const HEADER = ['host', 'outcome', 'seconds', 'next'] as const

type Row = Readonly<{ outcome: string; seconds: string; next: string }>

/** Returns the command to type next that an event names. */
function nextOf(event: Event): string | undefined {
  if (event.event === 'error' || event.event === 'step-failed') return event.failure.next
  return event.event === 'refused' ? event.reasons[0]?.next : undefined
}

function rowOf({ outcome, exitCode, ms }: Extract<Event, { event: 'run-finished' }>, next: string): Row {
  const text = exitCode === EXIT_CODE.usage ? 'wrong specification' : OUTCOME_TEXTS[outcome]
  return { outcome: text, seconds: (ms / 1000).toFixed(1), next }
}

/** Returns a renderer that shows the table when it is closed, below all else. `hosts` are those of the run, in their order. */
export function withTable(
  renderer: Renderer,
  { stderr }: OutputStreams,
  program: string,
  hosts: readonly string[],
): Renderer {
  const nexts = new Map<string, string>()
  const rows = new Map<string, Row>()
  return {
    emit: (host, event) => {
      renderer.emit(host, event)
      const next = nextOf(event)
      if (next !== undefined) nexts.set(host, next)
      if (event.event === 'run-finished') rows.set(host, rowOf(event, event.next ?? nexts.get(host) ?? ''))
    },
    close: () => {
      renderer.close()
      const lines = hosts.flatMap((host) => {
        const row = rows.get(host)
        return row === undefined ? [] : [[host, row.outcome, row.seconds, renderNext(row.next, program)]]
      })
      stderr(`\n${renderTable([HEADER, ...lines])}\n`)
    },
  }
}
