/** The actions of `tappass backup` that are about a store, with their options. They need no host. */
import { CONFIG_OPTION, JSON_OPTION, type Option, SECRET_OPTION } from './option.ts'
import type { Action } from './verb.ts'

/** What says which store it is, and opens it. */
export const STORE_OPTIONS: readonly Option[] = [
  { name: 'store', summary: 'those in the store of the specification (backup.store) instead, from this machine' },
  { ...CONFIG_OPTION, summary: 'host specification (YAML) that says where the store is' },
  { ...SECRET_OPTION, summary: 'a secret of the store (backup-store-secret=FILE)' },
]

/** From the store and the recovery key alone. */
export const FETCH_ACTION: Action = {
  name: 'fetch',
  operands: 'SET',
  summary: 'fetch a backup from the store to this machine, and open it with the recovery key; what was cut off goes on',
  options: [
    ...STORE_OPTIONS.slice(1),
    { name: 'identity', value: 'FILE', summary: 'private half of the recovery key' },
    { name: 'into', value: 'DIR', summary: 'folder that the set’s folder is made in' },
    {
      name: 'key',
      value: 'FILE',
      summary: 'public key that has to have signed the set, in place of the one sealed in it',
    },
    JSON_OPTION,
  ],
}
