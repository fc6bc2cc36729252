/** Three ways to show what happens on hosts: lines, a moving line on a terminal, or one JSON object a line. Chosen once. */
import { EVENT_VERSION, type Event } from './event.ts'
import { eventLines } from './text-renderer.ts'

/** Shows an event of one host; `host` is its name. `close` leaves the terminal tidy. */
export type Renderer = Readonly<{ tell: (host: string, event: Event) => void; close: () => void }>

/** Where a renderer writes. Data go to `out`, talk to `talk`. */
export type Paper = Readonly<{ out: (text: string) => void; talk: (text: string) => void }>

/** One object a line on `out`, each with `v` (the schema's version), `at` (ISO time) and `host`. */
export function jsonRenderer({ out }: Paper, nowMs: () => number): Renderer {
  return {
    tell: (host, event) =>
      out(`${JSON.stringify({ v: EVENT_VERSION, at: new Date(nowMs()).toISOString(), host, ...event })}\n`),
    close: () => {},
  }
}

function isData(event: Event, isPlanData: boolean): boolean {
  return isPlanData && event.event === 'plan'
}

/** `isPlanData`: the plan is what was asked for, so it goes to `out`. `isNamed`: several hosts, so each line says whose it is. */
export function plainRenderer(paper: Paper, isPlanData: boolean, isNamed: boolean): Renderer {
  return {
    tell: (host, event) => {
      const write = isData(event, isPlanData) ? paper.out : paper.talk
      for (const line of eventLines(event)) write(isNamed ? `${host}: ${line}\n` : `${line}\n`)
    },
    close: () => {},
  }
}

type Moving = { step: string; command: string; said: string; startMs: number }

const FRAME_MS = 100
function isScript(command: string): boolean {
  return command.startsWith('sh -')
}
const CLEAR_LINE = '\r\u001b[K'

/** For one host on a terminal: step n of N, the seconds it has taken, the command, the last line it said; what has happened stays above. */
export function liveRenderer(paper: Paper, isPlanData: boolean, columns: () => number, nowMs: () => number): Renderer {
  const plain = plainRenderer(paper, isPlanData, false)
  let moving: Moving | undefined
  let timer: NodeJS.Timeout | undefined
  const draw = () => {
    if (moving === undefined) return
    const elapsed = `${Math.floor((nowMs() - moving.startMs) / 1000)} s`
    const text = `${moving.step} (${elapsed}) ${moving.said === '' ? moving.command : moving.said}`
    // Anything that is not printable could move the cursor.
    paper.talk(CLEAR_LINE + text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, Math.max(10, columns() - 1)))
  }
  const stop = () => {
    clearInterval(timer)
    timer = undefined
    if (moving !== undefined) paper.talk(CLEAR_LINE)
    moving = undefined
  }
  const start = (step: string) => {
    moving = { step, command: '', said: '', startMs: nowMs() }
    timer = setInterval(draw, FRAME_MS)
    timer.unref()
    draw()
  }
  const tell = (host: string, event: Event) => {
    if (event.event === 'said') {
      if (moving !== undefined) moving.said = event.line
    } else if (event.event === 'command-started') {
      // A script of ours says less than the step that it is part of.
      if (moving !== undefined)
        Object.assign(moving, { command: isScript(event.command) ? '' : event.command, said: '' })
    } else {
      const step = moving?.step ?? ''
      stop()
      if (event.event === 'step-started') start(`${event.step}/${event.steps} ${event.does}`)
      else if (event.event === 'step-finished') paper.talk(`${step} (${(event.ms / 1000).toFixed(1)} s)\n`)
      else plain.tell(host, event)
    }
  }
  return { tell, close: stop }
}
