/** The actions of `tappass agent`, `backup` and `bundle`, with their options. */
import { CONFIG_OPTION, HOST_OPTIONS, JSON_OPTION, NO_INPUT_OPTION, YES_OPTION } from './option.ts'
import type { Action } from './verb.ts'

/** What can be done with agents. */
export const AGENT_ACTIONS: readonly Action[] = [
  {
    name: 'add',
    operands: 'ID',
    summary: 'create an agent and show its key, once',
    options: [
      { name: 'framework', value: 'NAME', summary: 'framework of the agent' },
      { name: 'description', value: 'TEXT', summary: 'purpose of the agent' },
      { name: 'owner', value: 'EMAIL', summary: 'email address of the owner' },
      { name: 'spiffe-id', value: 'ID', summary: 'come with an SVID of this id, without a key' },
    ],
  },
  { name: 'list', summary: 'show all agents' },
  { name: 'revoke', operands: 'ID', summary: 'revoke its keys, within a second' },
]

const KEY_OPTION = {
  name: 'key',
  value: 'FILE',
  summary: 'public key on the server that has signed the set, in place of its own',
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
    summary: 'show the backups of a server, and which of them count',
    options: [...HOST_OPTIONS, JSON_OPTION],
  },
  {
    name: 'verify',
    operands: '[SET]',
    summary: 'check signature and digests of a set (the newest), and restore it again as a proof',
    options: [...HOST_OPTIONS, KEY_OPTION, JSON_OPTION],
  },
  {
    name: 'restore',
    operands: 'SET',
    summary: 'put a set, or the dump at a path on the server, in the place of the database, which is kept',
    options: [
      ...HOST_OPTIONS,
      { name: 'database', value: 'NAME', summary: 'beside the database in force, under this name (tappass_…)' },
      KEY_OPTION,
      JSON_OPTION,
      NO_INPUT_OPTION,
      YES_OPTION,
    ],
  },
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
