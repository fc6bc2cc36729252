/** What is seen from the machine of the operator: whether clients get in, and nobody else. */
import { type Check, fail, none, ok, type Seen, skip, type Topic, type Verdict, warn } from '../diagnosis/check.ts'
import { INTERNAL_PORTS } from '../diagnosis/outside.ts'

const DAYS_MIN = 14

/** Of what was asked from outside; `isIngress`: of the ingress. */
function seenFrom(seen: Seen, isIngress: boolean, judge: () => Verdict): Verdict {
  if (seen.outside.skipped !== '') return skip(seen.outside.skipped)
  if (isIngress && seen.spec.ingress === 'none') return skip('the setting ingress is none')
  return judge()
}

function portCheck(
  id: string,
  what: string,
  portOf: (ingress: Exclude<Seen['spec']['ingress'], 'none'>) => number,
): Check {
  return {
    id,
    what,
    isInstalled: true,
    judge: (seen) =>
      seenFrom(seen, true, () => {
        const { ingress } = seen.spec
        const port = ingress === 'none' ? 0 : portOf(ingress)
        const problem = seen.outside.ports.get(port)
        return problem === ''
          ? ok()
          : fail(
              `port ${port}: ${problem ?? 'not asked'}`,
              `let TCP port ${port} in, in the firewall of the host and of the cloud`,
            )
      }),
  }
}

/** From outside. */
export const outside: Topic = {
  name: 'outside',
  probe: '',
  checks: [
    portCheck('outside.https', 'clients reach the ingress', ({ https }) => https),
    portCheck('outside.http', 'the authority of certificates reaches the ingress', ({ http }) => http),
    {
      id: 'outside.closed',
      what: 'nobody reaches what is internal',
      judge: (seen) =>
        seenFrom(seen, false, () =>
          none(INTERNAL_PORTS.filter((port) => seen.outside.ports.get(port) === '').map(String), (ports) =>
            fail(`open from here: ${ports}`, 'ss -ltnp   (on the host), and close them in the firewall'),
          ),
        ),
    },
    {
      id: 'outside.name',
      what: 'the domain leads somewhere',
      isInstalled: true,
      judge: (seen) =>
        seenFrom(seen, true, () => {
          if (seen.spec.domain === undefined) return skip('no domain is set')
          return seen.outside.addresses.length > 0
            ? ok(seen.outside.addresses.join(', '))
            : fail(`${seen.spec.domain} has no address`, `an A or AAAA record for ${seen.spec.domain}`)
        }),
    },
    {
      id: 'outside.address',
      what: 'the domain leads to this host',
      isInstalled: true,
      judge: (seen) =>
        seenFrom(seen, true, () => {
          const { addresses } = seen.outside
          const own = seen.preflight.traits.network.addresses
          if (seen.spec.domain === undefined || addresses.length === 0)
            return skip('no domain is set, or it has no address')
          return addresses.some((address) => own.includes(address))
            ? ok()
            : warn(
                `it leads to ${addresses.join(', ')}, the host has ${own.join(', ') || 'none'}`,
                'right behind a load balancer or NAT; otherwise mend the record',
              )
        }),
    },
    {
      id: 'outside.chain',
      what: 'the certificate is trusted',
      isInstalled: true,
      judge: (seen) =>
        seenFrom(seen, true, () => {
          if (seen.spec.tls !== 'public') return skip('certificates are of Caddy’s own authority')
          return seen.outside.chain === '' ? ok() : fail(seen.outside.chain, 'tappass logs caddy --since 1d')
        }),
    },
    {
      id: 'outside.expiry',
      what: 'the certificate is good for a while',
      isInstalled: true,
      judge: (seen) =>
        seenFrom(seen, true, () => {
          if (seen.spec.tls !== 'public') return skip('those of Caddy’s own authority live for hours')
          if (!Number.isFinite(seen.outside.daysLeft)) return skip('nothing answers with TLS')
          return seen.outside.daysLeft < DAYS_MIN
            ? fail(`${seen.outside.daysLeft} days left`, 'tappass logs caddy --since 7d')
            : ok(`${seen.outside.daysLeft} days left`)
        }),
    },
    {
      id: 'outside.health',
      what: 'the gateway answers clients',
      isInstalled: true,
      judge: (seen) =>
        seenFrom(seen, true, () =>
          seen.outside.health === 'healthy'
            ? ok()
            : fail(
                seen.outside.health || 'no answer',
                'tappass logs caddy --lines 50; tappass logs gateway --lines 50',
              ),
        ),
    },
  ],
}
