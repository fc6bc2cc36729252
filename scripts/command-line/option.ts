/** Options of the command line as data, and those that several commands take. Parsing stands in `argument.ts`. */

/**
 * One option. `value` is the placeholder shown in help (`PORT`); without it the option is a switch.
 * `choices` are all values allowed; `isRepeatable` lets it stand more than once and gives a list.
 */
export type Option = Readonly<{
  name: string
  summary: string
  value?: string
  short?: string
  choices?: readonly string[]
  isRepeatable?: boolean
}>

/** Taken by every command. */
export const COMMON_OPTIONS: readonly Option[] = [
  { name: 'help', short: 'h', summary: 'show this help' },
  { name: 'no-color', summary: 'no colour (as when NO_COLOR is set)' },
]

/** Data on stdout as JSON, talk on stderr. */
export const JSON_OPTION: Option = { name: 'json', summary: 'print JSON on stdout' }

/** Never ask. */
export const NO_INPUT_OPTION: Option = { name: 'no-input', summary: 'never ask; take flags and defaults' }

/** Say yes to what would be asked. */
export const YES_OPTION: Option = { name: 'yes', short: 'y', summary: 'apply without asking' }

/** The folder that `up` keeps its data in. */
export const DATA_OPTION: Option = { name: 'data', value: 'DIR', summary: 'data folder (default: .tappass/data)' }

/** Which host to see or change: this one unless `--host` or `--inventory` says otherwise. */
export const HOST_OPTIONS: readonly Option[] = [
  { name: 'host', value: 'USER@NAME[:PORT]', isRepeatable: true, summary: 'a host over SSH instead of this one' },
  { name: 'identity', value: 'FILE', summary: 'private SSH key' },
  { name: 'known-hosts', value: 'FILE', summary: 'known_hosts file to check host keys against' },
  { name: 'accept-new-host-key', summary: 'add the key of a host that is new to known_hosts (never a changed one)' },
  { name: 'inventory', value: 'FILE', summary: 'a YAML list of hosts' },
  { name: 'config', value: 'FILE', summary: 'host specification (YAML)' },
]

/** What a host should be, on top of its specification. */
export const WANTED_OPTIONS: readonly Option[] = [
  { name: 'only', value: 'ROLE', isRepeatable: true, summary: 'this part of the host only' },
  { name: 'domain', value: 'NAME', summary: 'public name; TLS from a public authority' },
  { name: 'upstream', value: 'URL', summary: 'an OpenAI-compatible server that answers calls (…/v1)' },
  {
    name: 'secret',
    value: 'ID=FILE',
    isRepeatable: true,
    summary: 'store this secret on the host (openai-api-key=FILE)',
  },
]
