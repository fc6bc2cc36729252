/** A command line to type next, with the options of this one: hosts, keys, specification. */

import { renderNext } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import type { Invocation } from './invocation.ts'
import { DATA_OPTION, HOST_OPTIONS } from './option.ts'

/** Returns the words of this command line that are not options, without `tappass`: the verb, its action, its operands. */
export function typedVerb({ verb, action, operands }: Pick<Invocation, 'verb' | 'action' | 'operands'>): string {
  return [verb.name, ...(action === undefined ? [] : [action]), ...operands].join(' ')
}

/** Returns the command line of a verb, with its action and operands if it has any. Options are repeated as typed; none of them holds a secret. `more` are arguments to add. */
export function commandHint(
  { options }: Pick<Invocation, 'options'>,
  verb: string,
  ...more: readonly string[]
): string {
  return quoteAll([
    'tappass',
    ...verb.split(' '),
    ...Object.entries(options).flatMap(([name, value]) =>
      value === true ? [`--${name}`] : [value].flat().flatMap((each) => [`--${name}`, String(each)]),
    ),
    ...more,
  ])
}

/** Returns the command line of a verb on the same hosts, without the options that only this verb has. */
export function hostCommandHint({ options }: Pick<Invocation, 'options'>, verb: string): string {
  const isHostOption = (name: string) => HOST_OPTIONS.some((option) => option.name === name)
  return commandHint(
    { options: Object.fromEntries(Object.entries(options).filter(([name]) => isHostOption(name))) },
    verb,
  )
}

/** Returns the command that installs TapPass on the same host, as it can be typed here. */
export function bootstrapHint(invocation: Pick<Invocation, 'options' | 'program'>): string {
  return renderNext(hostCommandHint(invocation, 'bootstrap'), invocation.program)
}

/**
 * Returns the output of a process of ours with its lines `next: tappass migrate up` as they can be typed here: the program as it was typed,
 * and the hosts or the data folder of this command line. All else stays as it is.
 */
export function renderProcessHints(
  { options, program, verb }: Pick<Invocation, 'options' | 'program' | 'verb'>,
  text: string,
): string {
  const isPlace = (name: string) => name === DATA_OPTION.name || HOST_OPTIONS.some((option) => option.name === name)
  const places = Object.fromEntries(Object.entries(options).filter(([name]) => isPlace(name)))
  const words = commandHint({ options: places }, verb.name).slice(`tappass ${verb.name}`.length)
  return text.replaceAll(/^ +next: .*$/gm, (line) => {
    const command = new RegExp(`\\btappass ${verb.name} [a-z]+`, 'g')
    return renderNext(
      line.replaceAll(command, (found) => found + words),
      program,
    )
  })
}
