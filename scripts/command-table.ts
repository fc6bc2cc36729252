/**
 * The command table. To add a command: write `scripts/commands/<verb>.ts` that exports `run(invocation): Promise<number>`
 * (it returns the exit code; throw a `Failure` for an error that the user must read), and add an entry to `VERBS`.
 */
import { AGENT_ACTIONS } from './command-line/agent-action.ts'
import { BACKUP_ACTIONS } from './command-line/backup-action.ts'
import { BUNDLE_ACTIONS } from './command-line/bundle-action.ts'
import type { CommandTable } from './command-line/invocation.ts'
import {
  AGE_OPTION,
  ALL_OPTION,
  BATCH_OPTIONS,
  DATA_OPTION,
  DIFF_OPTION,
  FINISH_OPTION,
  HOST_OPTIONS,
  HOST_RUN_OPTIONS,
  JSON_OPTION,
  LICENSE_OPTIONS,
  LOCAL_OPTIONS,
  LOG_OPTIONS,
  NO_INPUT_OPTION,
  OUT_OPTION,
  PLAN_OPTION,
  REPAIR_OPTION,
  ROLLOUT_OPTIONS,
  ROTATE_OPTION,
  RUN_OPTIONS,
  SECRET_OPTION,
  SPEC_RUN_OPTIONS,
  URL_OPTIONS,
  WITH_DATA_OPTION,
  YES_OPTION,
} from './command-line/option.ts'

/** All commands, in the order of `--help`. */
export const VERBS: CommandTable = [
  {
    name: 'up',
    summary: 'run a gateway on this machine, for evaluation and development',
    options: [
      ...LOCAL_OPTIONS,
      DATA_OPTION,
      { name: 'verbose', summary: 'show the gateway’s log on a terminal too' },
      JSON_OPTION,
      NO_INPUT_OPTION,
    ],
    load: () => import('./commands/up.ts'),
  },
  {
    name: 'bootstrap',
    summary: 'install or update a server: this machine, or others over SSH',
    options: [...SPEC_RUN_OPTIONS, ...ROLLOUT_OPTIONS, PLAN_OPTION, DIFF_OPTION, YES_OPTION],
    load: () => import('./commands/bootstrap.ts'),
  },
  {
    name: 'plan',
    summary: 'show what bootstrap would change, without changing anything',
    options: [...SPEC_RUN_OPTIONS, DIFF_OPTION, OUT_OPTION, ROTATE_OPTION, AGE_OPTION, FINISH_OPTION],
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'attach',
    summary: 'show again a run that goes on on a server by itself',
    options: HOST_RUN_OPTIONS,
    load: () => import('./commands/attach.ts'),
  },
  {
    name: 'bundle',
    summary: 'pack everything that a server needs of the network into one signed file, or check one',
    options: [JSON_OPTION, NO_INPUT_OPTION],
    actions: BUNDLE_ACTIONS,
    load: () => import('./commands/bundle.ts'),
  },
  {
    name: 'status',
    summary: 'show what a server shall run and runs, its last backup, disks, certificate, clock and Docker',
    options: HOST_RUN_OPTIONS,
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'history',
    summary: 'show the runs that changed a server, by whom, and whether their log is whole',
    options: HOST_RUN_OPTIONS,
    load: () => import('./commands/history.ts'),
  },
  {
    name: 'at',
    summary: 'show a run of the history (settings, changes, files, images, units), or restore it',
    operands: 'N',
    options: [...HOST_RUN_OPTIONS, ...RUN_OPTIONS, DIFF_OPTION, YES_OPTION],
    load: () => import('./commands/at.ts'),
  },
  {
    name: 'why',
    summary: 'show which run, operator and template brought each line of a file',
    operands: 'PATH',
    options: HOST_RUN_OPTIONS,
    load: () => import('./commands/why.ts'),
  },
  {
    name: 'drift',
    summary: 'compare a server with what its last run left: what differs, since when, by whom',
    options: [...HOST_RUN_OPTIONS, REPAIR_OPTION, DIFF_OPTION, YES_OPTION],
    load: () => import('./commands/drift.ts'),
  },
  {
    name: 'doctor',
    summary: 'check a server, or a machine before it becomes one: what is wrong, why, and what to do',
    options: [...HOST_RUN_OPTIONS, ALL_OPTION],
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'logs',
    summary: 'show or follow what the services of a server write: gateway, postgres, caddy …',
    operands: '[SERVICE]',
    options: [...HOST_RUN_OPTIONS, ...LOG_OPTIONS],
    load: () => import('./commands/logs.ts'),
  },
  {
    name: 'uninstall',
    summary: 'take TapPass off a server, and leave it as it was before',
    options: [...HOST_RUN_OPTIONS, ...BATCH_OPTIONS, YES_OPTION, WITH_DATA_OPTION],
    load: () => import('./commands/uninstall.ts'),
  },
  {
    name: 'secrets',
    summary: 'rotate a secret of a server, without a failed call',
    options: [...HOST_RUN_OPTIONS, ...ROLLOUT_OPTIONS, DIFF_OPTION, YES_OPTION],
    actions: [
      {
        name: 'rotate',
        operands: 'ID[,ID…]',
        summary: 'give a secret a new value, which is good beside the old one first',
        options: [AGE_OPTION, FINISH_OPTION, SECRET_OPTION],
      },
    ],
    load: () => import('./commands/secrets.ts'),
  },
  {
    name: 'backup',
    summary: 'take, prove, list and restore backups of a server; make the key that they are sealed to',
    options: [],
    actions: BACKUP_ACTIONS,
    load: () => import('./commands/backup.ts'),
  },
  {
    name: 'agent',
    summary: 'add, list or revoke the agents that may call a gateway',
    options: [DATA_OPTION, ...URL_OPTIONS, ...HOST_OPTIONS, JSON_OPTION, NO_INPUT_OPTION],
    actions: AGENT_ACTIONS,
    load: () => import('./commands/agent.ts'),
  },
  {
    name: 'migrate',
    summary: 'show, run or verify the migrations of a database',
    options: [
      DATA_OPTION,
      ...HOST_OPTIONS,
      { name: 'lock-timeout', value: 'SECONDS', summary: 'how long to wait for a concurrent run (default: 30)' },
      JSON_OPTION,
      NO_INPUT_OPTION,
    ],
    actions: [
      { name: 'status', summary: 'show applied and pending migrations (exit 2 if any is pending)' },
      { name: 'up', summary: 'run pending migrations' },
      { name: 'verify', summary: 'compare migration files and schema with the schema history' },
      {
        name: 'baseline',
        summary: 'adopt a database that init scripts created',
        options: [{ name: 'at', value: 'NNN', summary: 'only if the database is at this migration' }],
      },
    ],
    load: () => import('./commands/migrate.ts'),
  },
  {
    name: 'audit',
    summary: 'verify the ledger, export it, prove an entry',
    options: [DATA_OPTION, ...HOST_OPTIONS, JSON_OPTION, NO_INPUT_OPTION],
    actions: [
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
    ],
    load: () => import('./commands/audit.ts'),
  },
  {
    name: 'license',
    summary: 'show the license of a gateway, issue one, verify one',
    options: [JSON_OPTION, NO_INPUT_OPTION],
    actions: [
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
    ],
    load: () => import('./commands/license.ts'),
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    operands: 'bash|zsh|fish',
    options: [],
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'test',
    summary: 'run every test that this machine can run',
    options: [
      { name: 'only', value: 'GLOB', summary: 'only test files whose path matches (test/server/**)' },
      { name: 'no-lab', summary: 'leave the booted machines out' },
      { name: 'verbose', summary: 'show what the tests say while they run' },
      { name: 'needs', summary: 'run nothing; show what tests need, what is missing, and the Debian packages' },
    ],
    load: () => import('./commands/test.ts'),
  },
  {
    name: 'version',
    summary: 'show the versions of TapPass and Node',
    options: [JSON_OPTION],
    load: () => import('./commands/version.ts'),
  },
]
