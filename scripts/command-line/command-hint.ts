/** A command line to type next, with the options of this one: hosts, keys, specification. */

import { quoteAll } from '../core/quoting.ts'
import type { Invocation } from './invocation.ts'
import { HOST_OPTIONS } from './option.ts'

/** Returns the command line of a verb. Options are repeated as typed; none of them holds a secret. `more` are arguments to add. */
export function commandHint(
  { options }: Pick<Invocation, 'options'>,
  verb: string,
  ...more: readonly string[]
): string {
  return quoteAll([
    'tappass',
    verb,
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
