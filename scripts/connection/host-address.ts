/** The SSH address of a host: `user@name[:port]`. */
import { usageFailure } from '../core/failure.ts'

/** `name` is a host name or an address, an IPv6 one without brackets. */
export type HostAddress = Readonly<{ user: string; name: string; port: number }>

const ADDRESS_PATTERN =
  /^(?<user>[A-Za-z_][\w.-]*)@(?:\[(?<ipv6>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(?<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?))(?::(?<port>\d{1,5}))?$/

/**
 * Parses an address. Throws a usage failure that shows the form; `next` returns the command to type for a valid address, by default
 * one that looks and changes nothing.
 */
export function parseHostAddress(
  text: string,
  next = (address: string) => `tappass plan --host ${address}`,
): HostAddress {
  const groups = ADDRESS_PATTERN.exec(text)?.groups
  const port = Number(groups?.['port'] ?? 22)
  const name = groups?.['ipv6'] ?? groups?.['name']
  if (groups?.['user'] === undefined || name === undefined || port < 1 || port > 65_535) {
    const suggestion = ADDRESS_PATTERN.test(`root@${text}`) ? `root@${text}` : 'root@server'
    throw usageFailure(`"${text}" is not a host address; the form is user@name[:port]`, next(suggestion))
  }
  return { user: groups['user'], name, port }
}

/** Returns the address as text, without port 22. */
export function renderHostAddress({ user, name, port }: HostAddress): string {
  return `${user}@${name.includes(':') ? `[${name}]` : name}${port === 22 ? '' : `:${port}`}`
}
