/** What systemd of a host says of the calendar expression of a timer. */
import type { Fact } from '../core/host.ts'

/** What systemd of the host says of the calendar expression of a setting: `problem` is empty when it understands it. */
export type CalendarAnswer = Readonly<{ setting: string; expression: string; problem: string }>

/** Only systemd itself knows what its timers accept: one that it does not accept would never fire. */
export function calendarFact(setting: string, expression: string): Fact<CalendarAnswer> {
  return {
    query: { argv: ['systemd-analyze', 'calendar', '--', expression], effect: 'read' },
    parse: ({ code, stdout, stderr }) => {
      if (code === 0)
        return { setting, expression, problem: /^\s*Next elapse: never$/m.test(stdout) ? 'it never comes' : '' }
      return { setting, expression, problem: stderr.trim().split('\n')[0] || `systemd-analyze ended with ${code}` }
    },
  }
}
