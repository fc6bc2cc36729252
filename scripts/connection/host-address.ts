/** Where a host is reached over SSH: `user@name[:port]`. */
import { usageFailure } from '../core/failure.ts'

/** `name` is a host name or an address, an IPv6 one without brackets. */
export type HostAddress = Readonly<{ user: string; name: string; port: number }>

const SHAPE =
  /^(?<user>[A-Za-z_][\w.-]*)@(?:\[(?<six>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(?<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?))(?::(?<port>\d{1,5}))?$/

/** Reads one address. Throws a usage failure that shows the form. */
export function parseHostAddress(text: string): HostAddress {
  const found = SHAPE.exec(text)?.groups
  const port = Number(found?.['port'] ?? 22)
  const name = found?.['six'] ?? found?.['name']
  if (found?.['user'] === undefined || name === undefined || port < 1 || port > 65_535) {
    throw usageFailure(
      `"${text}" is not a host; it has the form user@name[:port]`,
      'tappass bootstrap --host root@server',
    )
  }
  return { user: found['user'], name, port }
}

/** The address as it was written; the port is left out where it is SSH's own. */
export function renderHostAddress({ user, name, port }: HostAddress): string {
  return `${user}@${name.includes(':') ? `[${name}]` : name}${port === 22 ? '' : `:${port}`}`
}
