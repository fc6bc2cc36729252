/** Whether a host has a way to another one, by that one's addresses and its own routes: asked only before something is fetched from there. */
import { refusedFailure } from '../core/failure.ts'
import type { Fact, GetFact } from '../core/host.ts'

/**
 * `unknown`: the name does not resolve now, or there is nobody to ask. `no-ipv6`: the other has IPv4 addresses only, and there is no route to
 * any. `no-route`: there is none to any of its addresses.
 */
export type Reachability = 'reachable' | 'unknown' | 'no-ipv6' | 'no-route'

/**
 * Prints a row for each address, `yes` where the kernel has a route. All of the hosts file and the name servers counts, whatever addresses
 * this host has itself; an IPv4 address in the form of IPv6 is none of IPv6. A name server that does not answer costs five seconds a family.
 */
const SCRIPT = `for family in 4 6; do
  timeout 5 getent --no-addrconfig "ahostsv$family" "$1" 2>/dev/null | sed -n 's/ *STREAM.*//p' | sort -u | while read -r address; do
    case $family$address in 6::ffff:*) continue ;; esac
    if ip route get "$address" >/dev/null 2>&1; then echo "$family yes"; else echo "$family no"; fi
  done
done
command -v ip >/dev/null || echo unknown`

/** The way to a host, by its name or address. */
export function reachabilityFact(host: string): Fact<Reachability> {
  return {
    query: { argv: ['sh', '-c', SCRIPT, 'sh', host], effect: 'read' },
    parse: ({ stdout }) => {
      const rows = stdout.split('\n').filter((row) => row !== '')
      if (rows.length === 0 || rows.includes('unknown')) return 'unknown'
      if (rows.some((row) => row.endsWith(' yes'))) return 'reachable'
      return rows.every((row) => row.startsWith('4')) ? 'no-ipv6' : 'no-route'
    },
    planned: () => undefined,
  }
}

/**
 * Throws a `Failure` (exit 5) when there is no way to the host of `url` for sure: the download would fail halfway through the run. `remedy`
 * names the settings that fetch it from elsewhere.
 */
export async function assertReachable(getFact: GetFact, url: string, remedy: string): Promise<void> {
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')
  const found = await getFact(reachabilityFact(host))
  if (found === 'reachable' || found === 'unknown') return
  const why =
    found === 'no-ipv6'
      ? `${host} has no IPv6 address, and this host has no route to IPv4 addresses`
      : `this host has no route to any address of ${host} (on the host: getent ahosts ${host}; ip route; ip -6 route)`
  throw refusedFailure(`${host} cannot be reached from this host`, why, `in host.yaml: ${remedy}`)
}
