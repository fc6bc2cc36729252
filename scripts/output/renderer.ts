/** Renderers of events: plain lines, a live progress line on a terminal, or one JSON object per line. */
import { renderNext } from '../core/failure.ts'
import { printableJson } from '../core/printable.ts'
import { EVENT_VERSION, type Event } from './event.ts'
import { eventLines, type TextOptions } from './text-renderer.ts'

/** Shows an event of a host; `host` is its name. `close` clears the progress line. */
export type Renderer = Readonly<{ emit: (host: string, event: Event, at?: string) => void; close: () => void }>

/** Where a renderer writes: data to `stdout`, messages to `stderr`. */
export type OutputStreams = Readonly<{ stdout: (text: string) => void; stderr: (text: string) => void }>

/** Writes one object per line to stdout, each with `v` (the version of the schema), `at` (ISO time) and `host`. `program` is what the user types for `tappass`. */
export function jsonRenderer({ stdout }: OutputStreams, program: string, nowMs: () => number): Renderer {
  const replacer = (key: string, value: unknown) =>
    key === 'next' && typeof value === 'string' ? renderNext(value, program) : value
  return {
    emit: (host, event, at = new Date(nowMs()).toISOString()) => {
      const line = { v: EVENT_VERSION, at, host, ...event }
      stdout(`${printableJson(JSON.stringify(line, replacer))}\n`)
    },
    close: () => {},
  }
}

function isData(event: Event, isPlanData: boolean): boolean {
  return event.event === 'log' || (isPlanData && event.event === 'plan')
}

/** `isPlanData`: the plan goes to stdout. */
export type RenderOptions = TextOptions & Readonly<{ isPlanData: boolean }>

/** `isNamed`: each line begins with the name of its host. */
export function plainRenderer(streams: OutputStreams, options: RenderOptions, isNamed: boolean): Renderer {
  return {
    emit: (host, event) => {
      const write = isData(event, options.isPlanData) ? streams.stdout : streams.stderr
      for (const line of eventLines(event, options)) write(isNamed ? `${host}: ${line}\n` : `${line}\n`)
    },
    close: () => {},
  }
}

type Progress = { step: string; command: string; output: string; startMs: number }

const FRAME_MS = 100
const CLEAR_LINE = '\r\u001b[K'

function isScript(command: string): boolean {
  return command.startsWith('sh -')
}

/** For one host on a terminal: a progress line with step n of N, elapsed seconds, the command and the last line of its output; finished steps stay above it. */
export function liveRenderer(
  streams: OutputStreams,
  options: RenderOptions,
  columns: () => number,
  nowMs: () => number,
): Renderer {
  const plain = plainRenderer(streams, options, false)
  let progress: Progress | undefined
  let timer: NodeJS.Timeout | undefined
  const draw = () => {
    if (progress === undefined) return
    const elapsed = `${Math.floor((nowMs() - progress.startMs) / 1000)} s`
    const text = `${progress.step} (${elapsed}) ${progress.output === '' ? progress.command : progress.output}`
    // Control characters could move the cursor.
    streams.stderr(CLEAR_LINE + text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, Math.max(10, columns() - 1)))
  }
  const stop = () => {
    clearInterval(timer)
    timer = undefined
    if (progress !== undefined) streams.stderr(CLEAR_LINE)
    progress = undefined
  }
  const start = (step: string) => {
    progress = { step, command: '', output: '', startMs: nowMs() }
    timer = setInterval(draw, FRAME_MS)
    timer.unref()
    draw()
  }
  const emit = (host: string, event: Event) => {
    if (event.event === 'output') {
      if (progress !== undefined) progress.output = event.line
    } else if (event.event === 'command-started') {
      // A script says less than the action of its step.
      if (progress !== undefined)
        Object.assign(progress, { command: isScript(event.command) ? '' : event.command, output: '' })
    } else {
      const step = progress?.step ?? ''
      stop()
      if (event.event === 'step-started') start(`${event.step}/${event.steps} ${event.action}`)
      else if (event.event === 'step-finished') streams.stderr(`${step} (${(event.ms / 1000).toFixed(1)} s)\n`)
      else plain.emit(host, event)
    }
  }
  return { emit, close: stop }
}
