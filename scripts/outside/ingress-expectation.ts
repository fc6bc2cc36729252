/**
 * What a change of a live ingress is held to: what answered to this machine before it has to answer after it. What did not answer before proves
 * nothing, and is not asked.
 */
import { lookup } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { HOST_PATH } from '../../contract/path.ts'
import { connectors, UNIT } from '../../contract/unit.ts'
import type { FailureText } from '../core/failure.ts'
import type { GetFact } from '../core/host.ts'
import { quoteAll } from '../core/quoting.ts'
import { contentFact } from '../facts/path.ts'
import { unitFact } from '../facts/unit.ts'
import type { Target } from '../inventory/target.ts'
import type { OutsideExpectation } from '../output/event.ts'
import type { ParsedSpec } from '../spec/host-spec.ts'
import { isLive, tunnelOf } from '../spec/ingress-spec.ts'
import { tunnelRoutes } from '../spec/tunnel-spec.ts'
import { askIngress, type IngressAnswer } from './ingress-answer.ts'
import type { IngressAddress } from './ingress-probe.ts'

type Spec = Pick<ParsedSpec, 'ingress' | 'domain' | 'tls'>
type SeenTarget = Pick<Target, 'address' | 'ssh'>

const HTTPS = 443

/** A public certificate may have to be got first, and a tunnel to be known at the edge; else what serves is there when it says so. */
const [SLOW_SECONDS, QUICK_SECONDS] = [30, 10]

/** By the address of the host, where no name is written. On the host itself that is loopback. */
function byAddress({ address, ssh }: SeenTarget, port: number): IngressAddress | undefined {
  if (address === undefined) return { host: '127.0.0.1', port }
  return ssh?.proxy === undefined ? { host: address.name, port } : undefined
}

/** Of a wildcard no name is known. */
function atTunnel(hostnames: readonly string[]): IngressAddress | undefined {
  const host = hostnames.find((name) => !name.startsWith('*'))
  return host === undefined ? undefined : { host, port: HTTPS }
}

/** Returns where the ingress that a specification has should answer; undefined where there is none, or no name is known. */
export function expectedAddress({ ingress, domain, tls }: Spec, target: SeenTarget): IngressAddress | undefined {
  if (ingress === 'none') return undefined
  if (isLive(ingress, 'caddy')) {
    const port = tls === 'public' ? HTTPS : ingress.https
    return domain === undefined ? byAddress(target, port) : { host: domain, port }
  }
  const tunnel = tunnelOf(ingress)
  const routes = tunnel === undefined ? [] : tunnelRoutes(tunnel, domain)
  return atTunnel([...routes.map(({ hostname }) => hostname), ...(domain === undefined ? [] : [domain])])
}

const PUBLIC: readonly string[] = ['public', 'acme', 'acme-profile']

/** Returns where the ingress that runs should answer, by what it was started with: `caddy` is its environment file, `tunnel` what cloudflared reads. */
export function runningAddress(
  { caddy, tunnel }: Readonly<{ caddy: string | undefined; tunnel: string | undefined }>,
  target: SeenTarget,
): IngressAddress | undefined {
  if (caddy === undefined)
    return atTunnel([...(tunnel ?? '').matchAll(/\bhostname:\s*["']?([^\s"']+)/g)].map(([, name = '']) => name))
  const value = (name: string) => new RegExp(`^TAPPASS_${name}=(.*)$`, 'm').exec(caddy)?.[1] ?? ''
  const port = PUBLIC.includes(value('TLS')) ? HTTPS : Number(value('HTTPS_PORT'))
  if (!Number.isInteger(port) || port < 1) return undefined
  return value('OTHER_NAMES') === 'refused' ? { host: value('NAME'), port } : byAddress(target, port)
}

/** Of a network whose names are others (split DNS) nothing can be said from here. */
async function isResolved(host: string): Promise<boolean> {
  return await lookup(host).then(
    () => true,
    () => false,
  )
}

/** `isLive`: something serves by now. */
async function readRunning(getFact: GetFact, target: SeenTarget) {
  const [caddyUnit, caddy, tunnel, ...tunnels] = await Promise.all([
    getFact(unitFact(UNIT.caddy)),
    getFact(contentFact(HOST_PATH.caddyEnvironment)),
    getFact(contentFact(HOST_PATH.tunnelConfig)),
    ...connectors(1).map((name) => getFact(unitFact(name))),
  ])
  const isCaddy = caddyUnit.active === 'active'
  const isTunnel = tunnels.some(({ active }) => active === 'active')
  const texts = { caddy: isCaddy ? caddy : undefined, tunnel: isTunnel ? tunnel : undefined }
  return { isLive: isCaddy || isTunnel, address: runningAddress(texts, target) }
}

function notAsked(address: IngressAddress | undefined, why: string): FailureText {
  const url = address === undefined ? 'https://NAME/health' : `https://${address.host}:${address.port}/health`
  return {
    what: 'whether the ingress answers from outside after this change is not known from here',
    why: `${why}; the change is kept when the host is reached over a new connection`,
    next: `ask from where its clients are: ${quoteAll(['curl', '-I', url])}`,
  }
}

/**
 * Returns what a change is held to: nothing where nothing serves by now or nothing is to serve after it; else the answer that there is now, or a
 * warning that says why nothing can be concluded.
 */
export async function expectIngress(
  spec: Spec,
  target: SeenTarget,
  getFact: GetFact,
): Promise<Readonly<{ expected?: OutsideExpectation; warning?: FailureText }>> {
  const running = await readRunning(getFact, target)
  if (!running.isLive || spec.ingress === 'none') return {}
  const after = expectedAddress(spec, target)
  if (running.address === undefined || after === undefined)
    return { warning: notAsked(after, 'no name is known that leads to it') }
  if (after.host !== running.address.host && !(await isResolved(after.host)))
    return { warning: notAsked(after, `${after.host} is not a name that is known here`) }
  const { host, port } = running.address
  const { problem, misfit, distrust } = await askIngress(running.address)
  if (problem !== undefined)
    return { warning: notAsked(after, `before the change ${host} port ${port} did not answer either: ${problem}`) }
  // A certificate of the host's own authority is not trusted on purpose.
  const isTrusted = distrust === undefined && spec.tls !== 'internal'
  const seconds = spec.tls === 'public' || !isLive(spec.ingress, 'caddy') ? SLOW_SECONDS : QUICK_SECONDS
  return { expected: { ...after, isFitting: misfit === undefined, isTrusted, seconds } }
}

function unmet({ isFitting, isTrusted }: OutsideExpectation, answer: IngressAnswer): string | undefined {
  return answer.problem ?? (isFitting ? answer.misfit : undefined) ?? (isTrusted ? answer.distrust : undefined)
}

const PAUSE_MS = 1_000

/** Returns why the expectation is not met; undefined as soon as it is. Looks again until its time is over. */
export async function unmetReason(expected: OutsideExpectation): Promise<string | undefined> {
  const over = AbortSignal.timeout(expected.seconds * 1000)
  for (;;) {
    const reason = unmet(expected, await askIngress(expected))
    if (reason === undefined) return undefined
    if (over.aborted)
      return `from outside the ingress does not answer any more as before (${expected.host} port ${expected.port}): ${reason}`
    await sleep(PAUSE_MS)
  }
}
