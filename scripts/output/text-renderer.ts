/** Renders events as lines of text: the output of the plain renderer, and what stays on the screen of the live one. */

import { EXIT_CODE } from '../../contract/exit-code.ts'
import { type FailureText, renderFailure, renderNext } from '../core/failure.ts'
import { printable } from '../core/printable.ts'
import type { Event, Outcome, StepFailure } from './event.ts'
import { planLines } from './plan-text.ts'
import { releaseMoveLines } from './release-move-text.ts'

/** `program` is what the user types for `tappass`. `hasDiffs`: plans show how files change, not only that they do. */
export type TextOptions = Readonly<{ program: string; hasDiffs: boolean }>

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
function pluralize(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
function reasonLines(reason: FailureText, program: string): readonly string[] {
  return renderFailure(reason, program)
    .replace(/^tappass: /, '- ')
    .split('\n')
}

function refusedLines({ reasons }: Extract<Event, { event: 'refused' }>, program: string): readonly string[] {
  return [
    `cannot install here, ${pluralize(reasons.length, 'problem')}:`,
    ...reasons.flatMap((reason) => reasonLines(reason, program)),
  ]
}

function failureLines(step: number, steps: number, failure: StepFailure, program: string): readonly string[] {
  return [
    `${step}/${steps} FAILED: ${failure.action}   [${failure.resource}]`,
    `  command:   ${failure.command}`,
    `  exit code: ${failure.code}`,
    ...(failure.output.length === 0 ? [] : ['  output:', ...failure.output.map((line) => `    ${line}`)]),
    ...(failure.journal === undefined
      ? []
      : [`  journal of ${failure.journal.unit}:`, ...failure.journal.lines.map((line) => `    ${line}`)]),
    `  next: ${renderNext(failure.next, program)}`,
  ]
}

/** Each line of a message has the time and the unit: a line without them could be taken for another entry. */
function logLines({ loggedAt, unit, message }: Extract<Event, { event: 'log' }>): readonly string[] {
  return message.split('\n').map((line) => printable(`${loggedAt} ${unit.replace(/\.service$/, '')} ${line}`))
}

function handedOverLines({ unit, next }: Extract<Event, { event: 'handed-over' }>, program: string): readonly string[] {
  return [
    `from here on the host goes on by itself, whatever becomes of this connection (${unit})`,
    `  to see it again: ${renderNext(next, program)}`,
  ]
}

function leftLines({ left }: Extract<Event, { event: 'left' }>): readonly string[] {
  return ['this stays on the host:', ...left.map(({ what, why }) => `  ${what}: ${why}`)]
}

/** How a run ended, for people. */
export const OUTCOME_TEXTS: Readonly<Record<Outcome, string>> = {
  'up-to-date': 'up to date',
  pending: 'changes pending',
  declined: 'not confirmed; nothing was changed',
  refused: 'preflight refused',
  locked: 'locked by another run',
  failed: 'failed',
  'rolled-back': 'failed; the release before is in force again',
  interrupted: 'interrupted',
  'not-begun': 'not begun, because a host before it failed',
  unreachable: 'unreachable',
  unhealthy: 'unhealthy',
  'not-installed': 'TapPass is not installed here',
  shown: 'all shown',
  well: 'nothing is wrong',
}

/** Nothing for a usage error: it is printed already, and nothing was run. */
function endLines(event: Extract<Event, { event: 'run-finished' }>, program: string): readonly string[] {
  const { outcome, exitCode, applied, remaining, ms, roundTrips, unhealthy = [], next } = event
  if (exitCode === EXIT_CODE.usage) return []
  const parts = unhealthy.length === 0 ? '' : `: ${unhealthy.join(', ')}`
  const made = applied === 0 ? '' : `, ${pluralize(applied, 'change')} applied`
  const left =
    applied === 0 || remaining === 0
      ? ''
      : `, ${pluralize(remaining, 'step')} left; run the same command again to continue`
  const line = `${OUTCOME_TEXTS[outcome]}${parts}${made}${left} (${seconds(ms)}, ${pluralize(roundTrips, 'round trip')})`
  return next === undefined ? [line] : [line, `  next:  ${renderNext(next, program)}`]
}

/** Returns the lines of an event, none for progress that only the live renderer shows. Commands print secrets and health on stdout themselves. */
export function eventLines(event: Event, { program, hasDiffs }: TextOptions): readonly string[] {
  switch (event.event) {
    case 'refused':
      return refusedLines(event, program)
    case 'plan':
      return planLines(event, hasDiffs)
    case 'settings':
      return [`no --config given: using the current settings of the host (${event.source})`]
    case 'warning':
      return renderFailure(event.warning, program)
        .replace(/^tappass: /, 'warning: ')
        .split('\n')
    case 'lock-taken-over':
      return [`took over the lock of ${event.owner}: ${event.reason}`]
    case 'handed-over':
      return handedOverLines(event, program)
    case 'step-started':
      return [`${event.step}/${event.steps} ${event.action}`]
    case 'step-finished':
      return event.ms < 1000 ? [] : [`${event.step}/${event.steps} done (${seconds(event.ms)})`]
    case 'step-failed':
      return failureLines(event.step, event.steps, event.failure, program)
    case 'error':
      return renderFailure(event.failure, program).split('\n')
    case 'set-fetched':
      return [`fetched ${event.set}: taken ${event.takenAt} by release ${event.release}, signature and digests hold`]
    case 'left':
      return leftLines(event)
    case 'soak':
      return [`${event.seconds === 0 ? 'looked at again' : `watched for ${event.seconds} s`} before the next batch`]
    case 'release-move':
      return releaseMoveLines(event)
    case 'log':
      return logLines(event)
    case 'run-finished':
      return endLines(event, program)
    default:
      // Progress that the live renderer shows, and what commands print on stdout themselves.
      return []
  }
}
