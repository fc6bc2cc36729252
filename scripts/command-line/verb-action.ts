/** The actions of verbs that have several with many options. */
import { CONFIG_OPTION, DATA_OPTION, HOST_OPTIONS, LICENSE_OPTIONS, URL_OPTIONS } from './option.ts'
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

/** What can be done with the ledger. */
export const AUDIT_ACTIONS: readonly Action[] = [
  {
    name: 'verify',
    summary: 'recompute the ledger and check its signed checkpoints (exit 1 if anything does not hold)',
    options: [
      { name: 'export', value: 'FILE', summary: 'an export instead of a database; needs no network' },
      { name: 'key', value: 'FILE', isRepeatable: true, summary: 'public key that has signed the checkpoints' },
      { name: 'since', value: 'FILE', isRepeatable: true, summary: 'checkpoint that you have kept' },
    ],
  },
  { name: 'export', summary: 'write the ledger to standard output, one JSON object a line' },
  { name: 'proof', operands: 'ID', summary: 'write the proof that an entry (ae_…) is in the ledger' },
]

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
