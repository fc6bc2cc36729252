/** A command line to type next, with what was typed for this one: hosts, keys, specification. */

import { quoteAll } from '../core/quoting.ts'
import type { Invocation } from './invocation.ts'

/** Options stand as they were typed; none of them holds a secret. `more` are words to add. */
export function typedLine({ options }: Pick<Invocation, 'options'>, verb: string, ...more: readonly string[]): string {
  return quoteAll([
    'tappass',
    verb,
    ...Object.entries(options).flatMap(([name, value]) =>
      value === true ? [`--${name}`] : [value].flat().flatMap((each) => [`--${name}`, String(each)]),
    ),
    ...more,
  ])
}
