/**
 * The command table. To add a command: write `scripts/commands/<verb>.ts` that exports `run(invocation): Promise<number>`
 * (it returns the exit code; throw a `Failure` for an error that the user must read), and add an entry to `VERBS`.
 */
import { AUDIT_ACTIONS } from './command-line/audit-action.ts'
import { BUNDLE_ACTIONS } from './command-line/bundle-action.ts'
import type { CommandTable } from './command-line/invocation.ts'
import { LICENSE_ACTIONS } from './command-line/license-action.ts'
import {
  AGE_OPTION,
  ALL_OPTION,
  ARCHIVE_OPTIONS,
  BATCH_OPTIONS,
  DATA_OPTION,
  DIFF_OPTION,
  FINISH_OPTION,
  HOST_OPTIONS,
  HOST_RUN_OPTIONS,
  JSON_OPTION,
  LOCAL_OPTIONS,
  LOG_OPTIONS,
  MOVE_OPTIONS,
  NO_INPUT_OPTION,
  OUT_OPTION,
  PACK_OPTION,
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
    name: 'upgrade',
    summary: 'bring a server to a release: backup, own checks, one instance after the other, soak, acceptance',
    options: [
      ...HOST_RUN_OPTIONS,
      ...MOVE_OPTIONS,
      ...ARCHIVE_OPTIONS,
      { name: 'finish', summary: 'run the migrations that waited until the release was accepted' },
      DIFF_OPTION,
      YES_OPTION,
    ],
    load: () => import('./commands/upgrade.ts'),
  },
  {
    name: 'rollback',
    summary: 'bring a server back to the release before, under the same gates',
    options: [...HOST_RUN_OPTIONS, ...MOVE_OPTIONS, DIFF_OPTION, YES_OPTION],
    load: () => import('./commands/rollback.ts'),
  },
  {
    name: 'releases',
    summary: 'show the releases on a server: which one is in force, what was accepted, which can be gone to',
    options: [...HOST_RUN_OPTIONS, PACK_OPTION],
    load: () => import('./commands/releases.ts'),
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
    name: 'agent',
    summary: 'add, list or revoke the agents that may call a gateway',
    options: [DATA_OPTION, ...URL_OPTIONS, ...HOST_OPTIONS, JSON_OPTION, NO_INPUT_OPTION],
    actions: [
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
    ],
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
    actions: AUDIT_ACTIONS,
    load: () => import('./commands/audit.ts'),
  },
  {
    name: 'license',
    summary: 'show the license of a gateway, issue one, verify one',
    options: [JSON_OPTION, NO_INPUT_OPTION],
    actions: LICENSE_ACTIONS,
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
