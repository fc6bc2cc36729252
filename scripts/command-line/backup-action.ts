/** The actions of `tappass backup`, with their options. */
import {
  BUNDLE_OPTIONS,
  CONFIG_OPTION,
  HOST_OPTIONS,
  JSON_OPTION,
  NO_INPUT_OPTION,
  type Option,
  SECRET_OPTION,
  YES_OPTION,
} from './option.ts'
import type { Action } from './verb.ts'

const KEY_OPTION = {
  name: 'key',
  value: 'FILE',
  summary: 'public key on the server (with --onto: here) that has signed the set, in place of its own',
}

/** What says which store it is, and opens it. */
const STORE_OPTIONS: readonly Option[] = [
  { name: 'store', summary: 'those in the store of the specification (backup.store) instead, from this machine' },
  { ...CONFIG_OPTION, summary: 'host specification (YAML) that says where the store is' },
  { ...SECRET_OPTION, summary: 'a secret of the store (backup-store-secret=FILE)' },
]

/** From the store and the recovery key alone. */
const FETCH_ACTION: Action = {
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

/** What can be done with backups. */
export const BACKUP_ACTIONS: readonly Action[] = [
  {
    name: 'create',
    summary: 'take a set, restore it as a proof, and let expired ones go, as every night',
    options: [...HOST_OPTIONS, JSON_OPTION],
  },
  {
    name: 'list',
    summary: 'show the backups of a server, and which of them count, or those in the store',
    options: [...HOST_OPTIONS, ...STORE_OPTIONS, JSON_OPTION],
  },
  {
    name: 'verify',
    operands: '[SET]',
    summary: 'check signature and digests of a set (the newest), and restore it again as a proof',
    options: [...HOST_OPTIONS, KEY_OPTION, JSON_OPTION],
  },
  {
    name: 'restore',
    operands: '[SET]',
    summary:
      'put a set, or the dump at a path on the server, in the place of the database, which is kept; --onto makes a bare host the one that was lost',
    options: [
      ...HOST_OPTIONS,
      {
        name: 'onto',
        value: 'USER@NAME[:PORT]',
        summary: 'a bare host ("localhost": this machine) that becomes the lost one, from the store (the newest set)',
      },
      {
        name: 'recovery-key',
        value: 'FILE',
        summary: 'with --onto: private half of the recovery key (-: standard input)',
      },
      {
        ...SECRET_OPTION,
        summary: 'with --onto: a secret of the store (backup-store-secret=FILE), or one in place of the set’s',
      },
      ...BUNDLE_OPTIONS,
      {
        name: 'to',
        value: 'TIME',
        summary: 'in place of a name: the database as it was then (2026-11-27T14:00:00Z); with --onto also "latest"',
      },
      { name: 'database', value: 'NAME', summary: 'beside the database in force, under this name (tappass_…)' },
      KEY_OPTION,
      JSON_OPTION,
      NO_INPUT_OPTION,
      YES_OPTION,
    ],
  },
  FETCH_ACTION,
  {
    name: 'prune',
    summary: 'let expired ones go, by the rule of the settings',
    options: [...HOST_OPTIONS, JSON_OPTION],
  },
  {
    name: 'key',
    operands: 'create',
    summary: 'make a recovery key on this machine; its private half is for no server',
    options: [{ name: 'out', value: 'FILE', summary: 'new file for the private half, which only you may read' }],
  },
]
