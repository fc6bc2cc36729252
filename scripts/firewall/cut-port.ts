/** The refusal to close ports that somebody uses. */
import { type Failure, refusedFailure } from '../core/failure.ts'
import type { ExposedPort } from './exposed-port.ts'

/** More are counted, not named. */
const NAMED_MAX = 20

/** Returns the items for people, and how many more there are. */
export function listed(items: readonly string[]): string {
  const more = items.length - NAMED_MAX
  return [...items.slice(0, NAMED_MAX), ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
}

const nameOf = ({ protocol, port, program }: ExposedPort): string =>
  `${protocol === 'raw' ? `protocol ${port}` : `${port}/${protocol}`}${program === '' ? '' : ` (${program})`}`

/** Returns the failure (exit 5) that names them, with the setting that keeps them. For a protocol without ports there is none. */
export function cutFailure(cut: readonly ExposedPort[]): Failure {
  const rules = cut.flatMap(({ port, protocol }) => {
    if (protocol === 'raw') return []
    return [protocol === 'tcp' ? `{ port: ${port} }` : `{ port: ${port}, protocol: udp }`]
  })
  const allow = `keep them: "firewall: { allow: [${listed(rules)}] }" (with "from: [10.0.0.0/8]" for some addresses only), `
  return refusedFailure(
    `the firewall would close ports that are in use: ${listed(cut.map(nameOf))}`,
    'others may need what answers there, and no setting lets it in',
    `in host.yaml, ${rules.length < cut.length ? '' : allow}close none: "firewall: none"; or stop those programs`,
  )
}
