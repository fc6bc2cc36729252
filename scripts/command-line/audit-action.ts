/** The actions of `tappass audit`, with their options. */
import type { Action } from './verb.ts'

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
