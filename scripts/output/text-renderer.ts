/** Events as lines for people: what the plain renderer prints, and what stays on the screen of the live one. */

import { type FailureText, renderFailure } from '../core/failure.ts'
import type { Event, Outcome, ShownChange, StepFailure } from './event.ts'

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
function indented(text: string): readonly string[] {
  return text.split('\n').map((line) => `      ${line}`)
}

/** A change with its reason, and its diff below. */
export function changeLines({ resource, does, because, diff }: ShownChange): readonly string[] {
  return [
    `  ~ ${does}`,
    `      because ${because}   [${resource}]`,
    ...(diff === undefined ? [] : indented(diff.trimEnd())),
  ]
}

function reasonLines(reason: FailureText): readonly string[] {
  return renderFailure(reason)
    .replace(/^tappass: /, '- ')
    .split('\n')
}

function failureLines(step: number, steps: number, failure: StepFailure): readonly string[] {
  return [
    `${step}/${steps} FAILED: ${failure.does}   [${failure.resource}]`,
    `  ran:  ${failure.command}`,
    `  code: ${failure.code}`,
    ...(failure.said.length === 0 ? [] : ['  said:', ...failure.said.map((line) => `    ${line}`)]),
    ...(failure.journal === undefined
      ? []
      : [`  journal of ${failure.journal.unit}:`, ...failure.journal.lines.map((line) => `    ${line}`)]),
    `  next: ${failure.next}`,
  ]
}

const ENDINGS: Readonly<Record<Outcome, string>> = {
  'as-wanted': 'as wanted',
  pending: 'changes are pending',
  declined: 'nothing was changed',
  refused: 'refused',
  locked: 'locked by another run',
  failed: 'failed',
  interrupted: 'interrupted',
  unreachable: 'not reachable',
  unwell: 'something is not well: journalctl -u UNIT -e (on the host) says more',
}

function endLines(event: Extract<Event, { event: 'run-finished' }>): readonly string[] {
  const { outcome, applied, remaining, ms, roundTrips, next } = event
  const made = applied === 0 ? '' : `, ${counted(applied, 'change')} made`
  const left = applied === 0 || remaining === 0 ? '' : `, ${counted(remaining, 'step')} left; run it again to go on`
  const said = `${ENDINGS[outcome]}${made}${left} (${seconds(ms)}, ${counted(roundTrips, 'round trip')})`
  return next === undefined ? [said] : [said, `  next:  ${next}`]
}

/** The lines of an event, none for those that only a moving display shows. Secrets and health are not among them: commands print those on stdout. */
export function eventLines(event: Event): readonly string[] {
  switch (event.event) {
    case 'refused':
      return ['this host is refused; nothing was changed:', ...event.reasons.flatMap(reasonLines)]
    case 'plan':
      return event.changes.length === 0
        ? [`0 changes: all ${event.resources} resources are as wanted`]
        : [`${counted(event.changes.length, 'change')}:`, ...event.changes.flatMap(changeLines)]
    case 'settings':
      return [`no --config: settings are those in force there (${event.source})`]
    case 'warning':
      return renderFailure(event.warning)
        .replace(/^tappass: /, 'warning: ')
        .split('\n')
    case 'lock-taken-over':
      return [`took over the lock of ${event.owner}: ${event.because}`]
    case 'step-started':
      return [`${event.step}/${event.steps} ${event.does}`]
    case 'step-finished':
      return event.ms < 1000 ? [] : [`${event.step}/${event.steps} done (${seconds(event.ms)})`]
    case 'step-failed':
      return failureLines(event.step, event.steps, event.failure)
    case 'error':
      return renderFailure(event.failure).split('\n')
    case 'run-finished':
      return endLines(event)
    case 'run-started':
    case 'command-started':
    case 'said':
    case 'secret':
    case 'health':
      return []
  }
}
