/** The actions of the commands that have some, with their options: a part of the command table. */
import {
  COMPROMISED_OPTION,
  CONFIG_OPTION,
  DATA_OPTION,
  DIFF_OPTION,
  FINISH_OPTION,
  HOST_OPTIONS,
  LICENSE_OPTIONS,
  type Option,
  ROLLOUT_OPTIONS,
  SECRET_AGE_OPTION,
  SECRET_OPTION,
  URL_OPTIONS,
  YES_OPTION,
} from './option.ts'
import type { Action } from './verb.ts'

/** What can be done with the agents of a gateway. */
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

/** What can be done with a ledger. */
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

/** What can be rendered. */
export const RENDER_ACTIONS: readonly Action[] = [
  {
    name: 'kubernetes',
    summary: 'write the manifests of the chart (charts/tappass) to standard output, as Helm would',
    options: [
      { name: 'values', value: 'FILE', isRepeatable: true, summary: 'values (YAML) over those of the chart' },
      { name: 'name', value: 'NAME', summary: 'what the objects are called (default: tappass)' },
      { name: 'namespace', value: 'NAME', summary: 'where they go (default: default)' },
    ],
  },
  {
    name: 'policy',
    summary: 'sign this release’s policy for a sidecar, and write it as a ConfigMap to standard output',
    options: [{ name: 'namespace', value: 'NAME', summary: 'where it goes (default: default)' }],
  },
]

/** How long migrations wait for one another. */
export const LOCK_OPTION: Option = {
  name: 'lock-timeout',
  value: 'SECONDS',
  summary: 'how long to wait for a concurrent run (default: 30)',
}

/** What can be done with the schema of a database. */
export const MIGRATE_ACTIONS: readonly Action[] = [
  { name: 'status', summary: 'show applied and pending migrations (exit 2 if any is pending)' },
  { name: 'up', summary: 'run pending migrations' },
  { name: 'verify', summary: 'compare migration files and schema with the schema history' },
  {
    name: 'baseline',
    summary: 'adopt a database that init scripts created',
    options: [{ name: 'at', value: 'NNN', summary: 'only if the database is at this migration' }],
  },
]

/** What can be done with the secrets of a server. */
export const SECRET_ACTIONS: readonly Action[] = [
  {
    name: 'list',
    summary: 'show each secret: since when, until when, how it is rotated; never a value',
    options: [SECRET_AGE_OPTION],
  },
  {
    name: 'rotate',
    operands: 'ID[,ID…]',
    summary:
      'give secrets (all: each that has another value to get) a new value, which is good beside the old one first',
    options: [
      ...[SECRET_AGE_OPTION, FINISH_OPTION, COMPROMISED_OPTION, SECRET_OPTION],
      ...[...ROLLOUT_OPTIONS, DIFF_OPTION, YES_OPTION],
    ],
  },
  {
    name: 'make',
    summary: 'fill in the secrets that the environment file of containers lacks; needs no server',
    options: [{ name: 'env', value: 'FILE', summary: 'the file that "docker compose --env-file" gets' }],
  },
]

/** Of `license`. */
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
