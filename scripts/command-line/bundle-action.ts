/** The actions of `tappass bundle`, with their options. */
import { CONFIG_OPTION } from './option.ts'
import type { Action } from './verb.ts'

/** What can be done with a bundle. */
export const BUNDLE_ACTIONS: readonly Action[] = [
  {
    name: 'create',
    summary: 'fetch and pack it for a platform; what was cut off goes on',
    options: [
      { name: 'platform', value: 'NAME', summary: 'distribution, release and architecture (debian-13-amd64)' },
      CONFIG_OPTION,
      { name: 'out', value: 'FILE', summary: 'the bundle' },
      { name: 'key', value: 'FILE', summary: 'private Ed25519 key (PEM) that only you may read' },
      {
        name: 'apt-sources',
        value: 'FILE',
        summary: 'apt’s sources for that platform (default: those of this machine)',
      },
      { name: 'cache', value: 'DIR', summary: 'where what was fetched is kept (default: .tappass/bundle)' },
    ],
  },
  {
    name: 'verify',
    operands: 'FILE',
    summary: 'check a bundle to its last byte, and show what it holds',
    options: [{ name: 'public-key', value: 'FILE', summary: 'public Ed25519 key (PEM) that has to have signed it' }],
  },
]
