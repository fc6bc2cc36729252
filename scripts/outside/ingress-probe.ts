/** The last look at a host that was changed: whether its ingress is reached from here. It warns, and names what may be in the way. */
import { connect } from 'node:net'
import { isPrivateHost } from '../../contract/private-network.ts'
import type { FailureText } from '../core/failure.ts'
import type { Fact, GetFact } from '../core/host.ts'
import { quoteAll } from '../core/quoting.ts'
import type { Target } from '../inventory/target.ts'
import type { ParsedSpec } from '../spec/host-spec.ts'
import { isLive } from '../spec/ingress-spec.ts'

/** Where the ingress should answer. */
export type IngressAddress = Readonly<{ host: string; port: number }>

/**
 * Returns what to look at: the domain, else the address of the host where it is a public one. Undefined where an answer would say nothing: without
 * an ingress, on this machine, in a private network (which may be another one than that of the clients), behind a jump host.
 */
export function ingressAddress(
  { ingress, domain, tls }: Pick<ParsedSpec, 'ingress' | 'domain' | 'tls'>,
  { address, ssh }: Pick<Target, 'address' | 'ssh'>,
): IngressAddress | undefined {
  if (ingress === 'none' || !isLive(ingress, 'caddy') || address === undefined || ssh?.proxy !== undefined)
    return undefined
  const host = domain ?? address.name
  if (isPrivateHost(host)) return undefined
  return { host, port: tls === 'public' ? 443 : ingress.https }
}

const TIMEOUT_MS = 5_000

/** Returns why a connection was not made; undefined when it was. */
export function connectionProblem({ host, port }: IngressAddress, timeoutMs = TIMEOUT_MS): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const timer = setTimeout(() => end(`no answer within ${timeoutMs / 1000} s`), timeoutMs)
    const end = (problem: string | undefined) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(problem)
    }
    socket.once('connect', () => end(undefined))
    socket.once('error', ({ message, code }: NodeJS.ErrnoException) => end(message || code || 'unknown error'))
  })
}

const FIREWALL_SCRIPT = `grep -qs '^ENABLED=yes' /etc/ufw/ufw.conf && echo ufw
systemctl is-active --quiet firewalld.service && echo firewalld
nft list ruleset 2>/dev/null | grep -qE 'hook input.*policy drop' && echo nftables
exit 0`

/** What on the host itself may drop packets. */
const firewallNamesFact: Fact<readonly string[]> = {
  query: { argv: ['sh', '-c', FIREWALL_SCRIPT], effect: 'read' },
  parse: ({ stdout }) => stdout.split('\n').filter((name) => name !== ''),
}

function warningOf({ host, port }: IngressAddress, problem: string, firewalls: readonly string[]): FailureText {
  const onHost = firewalls.length === 0 ? 'no firewall is active on it' : `${firewalls.join(' and ')} is active on it`
  return {
    what: `the ingress is up on the host, but ${host} port ${port} is not reached from here`,
    why: `${problem}; ${onHost}, and there may be one in between, such as a security group of the cloud`,
    next: `let TCP port ${port} in there (and 80 for certificates), then: ${quoteAll(['curl', '-kI', `https://${host}:${port}/health`])}`,
  }
}

/** Returns a warning when the ingress is not reached from this machine. */
export async function probeIngress(
  spec: Pick<ParsedSpec, 'ingress' | 'domain' | 'tls'>,
  target: Pick<Target, 'address' | 'ssh'>,
  getFact: GetFact,
): Promise<FailureText | undefined> {
  const address = ingressAddress(spec, target)
  const problem = address && (await connectionProblem(address))
  if (address === undefined || problem === undefined) return undefined
  return warningOf(address, problem, await getFact(firewallNamesFact))
}
