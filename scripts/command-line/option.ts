/** Options of the command line as data, and those that several commands share. `argument.ts` parses them. */
import { GATEWAY_PORT } from '../../contract/gateway.ts'

/**
 * An option. `value` is the placeholder shown in help (`PORT`); without it the option is a flag.
 * `choices` are the allowed values; a `isRepeatable` option may be given several times and yields a list.
 */
export type Option = Readonly<{
  name: string
  summary: string
  value?: string
  short?: string
  choices?: readonly string[]
  isRepeatable?: boolean
}>

/** Options of every command. */
export const COMMON_OPTIONS: readonly Option[] = [
  { name: 'help', short: 'h', summary: 'show this help' },
  { name: 'no-color', summary: 'no colour (as when NO_COLOR is set)' },
]

/** JSON on stdout, messages on stderr. */
export const JSON_OPTION: Option = { name: 'json', summary: 'print JSON on stdout' }

/** Never prompt. */
export const NO_INPUT_OPTION: Option = { name: 'no-input', summary: 'never prompt; use flags and defaults' }

/** Skip the confirmation. */
export const YES_OPTION: Option = { name: 'yes', short: 'y', summary: 'apply without confirmation' }

/** Diffs in plans. */
export const DIFF_OPTION: Option = { name: 'diff', summary: 'show how the content of each file changes' }

/** The data folder of `up`. */
export const DATA_OPTION: Option = { name: 'data', value: 'DIR', summary: 'data folder (default: .tappass/data)' }

/** The settings of a host. */
export const CONFIG_OPTION: Option = { name: 'config', value: 'FILE', summary: 'host specification (YAML)' }

/** Everything from a file, nothing from the network. */
export const BUNDLE_OPTIONS: readonly Option[] = [
  { name: 'bundle', value: 'FILE', summary: 'fetch nothing: take everything from this file of "bundle create"' },
  { name: 'bundle-key', value: 'FILE', summary: 'public Ed25519 key (PEM) that has to have signed it' },
]

/** Which hosts to inspect or change: this machine unless `--host` or `--inventory` is given. */
export const HOST_OPTIONS: readonly Option[] = [
  {
    name: 'host',
    value: 'USER@NAME[:PORT]',
    isRepeatable: true,
    summary: 'a host to reach over SSH, instead of this machine',
  },
  { name: 'identity', value: 'FILE', summary: 'private SSH key file' },
  { name: 'known-hosts', value: 'FILE', summary: 'known_hosts file to verify host keys against' },
  {
    name: 'accept-new-host-key',
    summary: 'add the key of an unknown host to known_hosts (never accepts a changed key)',
  },
  { name: 'inventory', value: 'FILE', summary: 'YAML file with a list of hosts, their groups and settings' },
  CONFIG_OPTION,
]

/** A secret of the operator. */
export const SECRET_OPTION: Option = {
  name: 'secret',
  value: 'ID=FILE',
  isRepeatable: true,
  summary: 'store this secret on the host (openai-api-key=FILE)',
}

/** Settings of a host that override its specification. */
export const SPEC_OPTIONS: readonly Option[] = [
  { name: 'only', value: 'ROLE', isRepeatable: true, summary: 'apply this role only' },
  { name: 'domain', value: 'NAME', summary: 'public domain name, with a certificate from a public authority' },
  { name: 'upstream', value: 'URL', summary: 'OpenAI-compatible model server (https://…/v1)' },
  { name: 'data', value: 'WHAT', choices: ['move', 'leave'], summary: 'what becomes of data with another database' },
  SECRET_OPTION,
]

/** Any gateway, by its address. */
export const URL_OPTIONS: readonly Option[] = [
  { name: 'url', value: 'URL', summary: 'URL of any gateway, with --admin-key-file' },
  { name: 'admin-key-file', value: 'FILE', summary: 'file with the admin key of that gateway' },
]

/** Of a gateway on this machine. */
export const LOCAL_OPTIONS: readonly Option[] = [
  { name: 'storage', value: 'WHERE', choices: ['memory', 'local', 'supabase'], summary: 'where data are stored' },
  { name: 'port', value: 'N', summary: `port to listen on (default: ${GATEWAY_PORT}; 0: any free one)` },
  { name: 'upstream', value: 'URL', summary: 'OpenAI-compatible model server (https://…/v1)' },
  { name: 'provider-key-file', value: 'FILE', summary: 'file with the provider’s API key' },
  { name: 'license', value: 'FILE', summary: 'file with a license' },
  { name: 'supabase-url', value: 'URL', summary: 'PostgreSQL connection string, without its password' },
  { name: 'supabase-key-file', value: 'FILE', summary: 'file with that password' },
]

/** What `secrets rotate` would change. */
export const ROTATE_OPTION: Option = {
  name: 'rotate',
  value: 'ID',
  isRepeatable: true,
  summary: 'what "secrets rotate ID" would change',
}

/** How old a value is that is rotated. */
export const AGE_OPTION: Option = {
  name: 'older-than',
  value: 'AGE',
  summary: 'only a value that was stored so long ago (90d, 12h, 0s; default: 1h)',
}

/** The end of an overlap. */
export const FINISH_OPTION: Option = {
  name: 'finish',
  summary: 'the end of a rotation that has begun: the next value becomes the only one',
}

/** No overlap: somebody else may have the value. */
export const COMPROMISED_OPTION: Option = {
  name: 'compromised',
  summary: 'somebody else may have it: the old value is refused by the end of the run',
}

/** The age from which on a secret is rotated, or overdue in a list. */
export const SECRET_AGE_OPTION: Option = {
  name: 'older-than',
  value: 'AGE',
  summary: 'values stored so long ago (90d): rotate takes no others (default: 1h), list marks them and ends with 1',
}

/** A plan on file. */
export const OUT_OPTION: Option = {
  name: 'out',
  value: 'FILE',
  summary: 'write the plans of all hosts to this file, for "bootstrap --plan"',
}

/** A run that does what a plan on file says. */
export const PLAN_OPTION: Option = {
  name: 'plan',
  value: 'FILE',
  summary: 'do what the plan in this file says, and nothing when a host is not as planned',
}

/** Nothing is changed. */
const PLAN_ONLY_OPTION: Option = { name: 'plan-only', summary: 'show what would be done, and change nothing (exit 2)' }

/** What is shown of a run of the history, or that it is restored. */
export const RUN_OPTIONS: readonly Option[] = [
  { name: 'file', value: 'PATH', summary: 'print the content of this file after the run' },
  { name: 'restore', summary: 'bring the server to the settings of that run again, as bootstrap does' },
  PLAN_ONLY_OPTION,
]

/** What differs is not only shown. */
export const REPAIR_OPTION: Option = { name: 'repair', summary: 'put back what differs, as bootstrap does' }

/** One batch of hosts after the other. */
export const BATCH_OPTIONS: readonly Option[] = [
  {
    name: 'batch',
    value: 'N[,N…]',
    summary: 'hosts in batches of this size, or share (1,25%)',
  },
  { name: 'max-fail', value: 'N', summary: 'with more failed hosts (or 10%) no further batch is begun (default: 0)' },
]

/** The same, with a look at each batch before the next one. */
export const ROLLOUT_OPTIONS: readonly Option[] = [
  ...BATCH_OPTIONS,
  { name: 'soak', value: 'DURATION', summary: 'watch the hosts of a batch so long before the next (30s, 10m, 1h)' },
]

/** How a host is brought to a release. */
export const MOVE_OPTIONS: readonly Option[] = [
  ...BATCH_OPTIONS,
  { name: 'to', value: 'VERSION', summary: 'a release that is on the server ("releases" shows them)' },
  {
    name: 'soak',
    value: 'DURATION',
    summary: 'watch the instances so long before the release is accepted (0s, 60s, 10m)',
  },
  PLAN_ONLY_OPTION,
]

/** Where a release comes from. */
export const ARCHIVE_OPTIONS: readonly Option[] = [
  { name: 'archive', value: 'FILE', summary: 'a release in a file of "releases --pack"' },
  { name: 'digest', value: 'HEX', summary: 'what that file must hash to' },
  { name: 'archive-key', value: 'FILE', summary: 'public Ed25519 key (PEM) that has to have signed that file' },
]

/** A release as a file. */
export const PACK_OPTIONS: readonly Option[] = [
  { name: 'pack', value: 'FILE', summary: 'write the release of this toolkit to a file, for "upgrade --archive"' },
  { name: 'key', value: 'FILE', summary: 'private Ed25519 key (PEM) that only you may read, to sign that file' },
]

/** Which hosts to try again. */
export const RETRY_OPTION: Option = {
  name: 'retry',
  value: 'FILE',
  summary: 'write the hosts that failed to this file, an inventory for the next run',
}

/** Some of the hosts. */
export const LIMIT_OPTION: Option = {
  name: 'limit',
  value: 'HOST|GROUP',
  isRepeatable: true,
  summary: 'of the hosts that are given, only this one, or those of this group',
}

/** Which lines of a journal. */
export const LOG_OPTIONS: readonly Option[] = [
  { name: 'follow', short: 'f', summary: 'go on with what is written from now on, until Ctrl-C' },
  { name: 'since', value: 'AGE', summary: 'from then on: 15m, 1h, 2d, or a date (2026-11-26, 2026-11-26T10:00Z)' },
  { name: 'lines', value: 'N', summary: 'the last N lines only (default: 100, with --since all)' },
]

/** What a new license says, and who signs it. */
export const LICENSE_OPTIONS: readonly Option[] = [
  { name: 'org', value: 'NAME', summary: 'whom it is for' },
  { name: 'tier', value: 'TIER', summary: 'what it is for, one word' },
  { name: 'expires', value: 'YYYY-MM-DD', summary: 'its last valid day' },
  { name: 'key', value: 'FILE', summary: 'private Ed25519 key (PEM) that only you may read' },
  { name: 'out', value: 'FILE', summary: 'a new file for it, instead of standard output' },
]

/** Also what is well. */
export const ALL_OPTION: Option = { name: 'all', summary: 'show what is well or skipped, too' }
/** Containers of this machine in the place of hosts. */
export const COMPOSE_OPTION: Option = { name: 'compose', value: 'FILE', summary: 'containers of this Compose file' }

/** Nothing is kept. */
export const WITH_DATA_OPTION: Option = { name: 'data', summary: 'the data, backups and secrets go, too' }

/** Of commands that run on hosts one after the other or side by side, and tell each one's end. */
export const HOST_RUN_OPTIONS: readonly Option[] = [
  ...HOST_OPTIONS,
  LIMIT_OPTION,
  RETRY_OPTION,
  JSON_OPTION,
  NO_INPUT_OPTION,
]

/** Of commands that bring hosts to a specification, or show what that would change. */
export const SPEC_RUN_OPTIONS: readonly Option[] = [...HOST_RUN_OPTIONS, ...SPEC_OPTIONS, ...BUNDLE_OPTIONS]
