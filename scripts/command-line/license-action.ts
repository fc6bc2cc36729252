/** The actions of `tappass license`, with their options. */
import { DATA_OPTION, HOST_OPTIONS, LICENSE_OPTIONS, URL_OPTIONS } from './option.ts'
import type { Action } from './verb.ts'

/** What can be done with a license. */
export const LICENSE_ACTIONS: readonly Action[] = [
  {
    name: 'show',
    summary: 'show what a gateway has (exit 1 if it has expired)',
    options: [DATA_OPTION, ...URL_OPTIONS, ...HOST_OPTIONS],
  },
  {
    name: 'issue',
    summary: 'sign a new license with the key of an authority of your own',
    options: LICENSE_OPTIONS,
  },
  {
    name: 'verify',
    operands: 'FILE',
    summary: 'check a license without a network (exit 1 if it has expired or does not hold)',
    options: [{ name: 'public-key', value: 'FILE', summary: 'public Ed25519 key (PEM) of the authority' }],
  },
]
