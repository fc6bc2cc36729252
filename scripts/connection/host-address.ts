/** The SSH address of a host: `user@name[:port]`. */
import { usageFailure } from '../core/failure.ts'

/** `name` is a host name or an address, an IPv6 one without brackets. */
export type HostAddress = Readonly<{ user: string; name: string; port: number }>

/** What was typed of an address; the rest may be in ssh's configuration. */
export type TypedAddress = Readonly<{ text: string; user: string | undefined; name: string; port: number | undefined }>

const ADDRESS_PATTERN =
  /^(?:(?<user>[A-Za-z_][\w.-]*)@)?(?:\[(?<ipv6>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(?<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?))(?::(?<port>\d{1,5}))?$/

/** Returns the command to type for a valid address; by default one that looks and changes nothing. */
type NextCommand = (address: string) => string

const planNext: NextCommand = (address) => `tappass plan --host ${address}`

function invalidAddress(text: string, suggestion: string, next: NextCommand) {
  return usageFailure(`"${text}" is not a host address; the form is user@name[:port]`, next(suggestion))
}

/** Parses an address; user and port may be left out. Throws a usage failure that shows the form. */
export function parseTypedAddress(text: string, next: NextCommand = planNext): TypedAddress {
  const groups = ADDRESS_PATTERN.exec(text)?.groups
  const port = groups?.['port'] === undefined ? undefined : Number(groups['port'])
  const name = groups?.['ipv6'] ?? groups?.['name']
  if (name === undefined || (port !== undefined && (port < 1 || port > 65_535)))
    throw invalidAddress(text, 'root@server', next)
  return { text, user: groups?.['user'], name, port }
}

/**
 * Returns the whole address: what was typed comes before what `configured` says, then port 22. Throws a usage failure when neither
 * names a user.
 */
export function completeAddress(
  { text, user, name, port }: TypedAddress,
  configured: Readonly<{ hostName: string; user: string | undefined; port: number }> | undefined,
  next: NextCommand = planNext,
): HostAddress {
  const account = user ?? configured?.user
  if (account === undefined) throw invalidAddress(text, `root@${text}`, next)
  return { user: account, name: configured?.hostName ?? name, port: port ?? configured?.port ?? 22 }
}

/** Returns the address as text, without port 22. */
export function renderHostAddress({ user, name, port }: HostAddress): string {
  return `${user}@${name.includes(':') ? `[${name}]` : name}${port === 22 ? '' : `:${port}`}`
}
