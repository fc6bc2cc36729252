/** What is seen of a host from the machine of the operator: ports, names, the chain of its certificate, its answer through TLS. */
import { resolve4, resolve6 } from 'node:dns/promises'
import { request } from 'node:https'
import { isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { GATEWAY_PORT } from '../../contract/gateway.ts'
import type { Target } from '../inventory/target.ts'
import { connectionProblem, type IngressAddress, ingressAddress } from '../outside/ingress-probe.ts'
import type { ParsedSpec } from '../spec/host-spec.ts'

/**
 * `skipped`: why nothing was asked. `ports`: those asked, with what came of it (empty: it answers). `addresses`: those of the domain.
 * `chain`: why the certificate is not trusted, empty when it is. `daysLeft` of it. `health`: the status through the ingress, or why there is none.
 */
export type Outside = Readonly<{
  skipped: string
  ports: ReadonlyMap<number, string>
  addresses: readonly string[]
  chain: string
  daysLeft: number
  health: string
}>

/** Nobody but the host itself may reach these: databases, Redis, the gateway, Docker, metrics. */
export const INTERNAL_PORTS = [5432, 6379, GATEWAY_PORT, 2375, 2376, 8181, 9090] as const

const TIMEOUT_MS = 4_000
const DAY_MS = 86_400_000

const nothing = (skipped: string): Outside => ({
  skipped,
  ports: new Map(),
  addresses: [],
  chain: '',
  daysLeft: Number.NaN,
  health: '',
})

/** What the server is asked for: a name; an address may not be sent. */
function nameOf(host: string): Readonly<{ servername?: string }> {
  return isIP(host) === 0 ? { servername: host } : {}
}

function certificateOf(host: string, port: number, nowMs: number): Promise<Pick<Outside, 'chain' | 'daysLeft'>> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, ...nameOf(host), rejectUnauthorized: false, timeout: TIMEOUT_MS })
    const end = (chain: string, daysLeft = Number.NaN) => {
      socket.destroy()
      resolve({ chain, daysLeft })
    }
    socket.once('secureConnect', () => {
      const until = Date.parse(socket.getPeerCertificate().valid_to)
      end(socket.authorized ? '' : String(socket.authorizationError), Math.floor((until - nowMs) / DAY_MS))
    })
    socket.once('timeout', () => end('no answer in time'))
    socket.once('error', ({ message }) => end(message))
  })
}

function healthOf(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const options = { host, port, path: '/health', ...nameOf(host), rejectUnauthorized: false, timeout: TIMEOUT_MS }
    const asked = request(options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text = (text + chunk).slice(0, 4096)
      })
      response.on('end', () => resolve(/"status"\s*:\s*"(\w+)"/.exec(text)?.[1] ?? `HTTP ${response.statusCode}`))
    })
    asked.once('timeout', () => asked.destroy(new Error('no answer in time')))
    asked.once('error', ({ message }) => resolve(message))
    asked.end()
  })
}

/** Returns why nobody answers there as a healthy gateway through TLS; undefined when somebody does. */
export async function answerProblem({ host, port }: IngressAddress): Promise<string | undefined> {
  const answer = (await connectionProblem({ host, port }, TIMEOUT_MS)) ?? (await healthOf(host, port))
  return answer === 'healthy' ? undefined : `ingress from here (${host} port ${port}: ${answer})`
}

/** Asks. Nothing here waits longer than some seconds, and nothing throws. */
export async function lookFromOutside(
  spec: Pick<ParsedSpec, 'ingress' | 'domain' | 'tls'>,
  target: Pick<Target, 'address' | 'ssh'>,
  nowMs: number,
): Promise<Outside> {
  if (target.address === undefined) return nothing('it is asked from another machine only: --host')
  if (target.ssh?.proxy !== undefined) return nothing('the host is behind a jump host')
  const host = target.address.name
  const address = ingressAddress(spec, target)
  const ports = [...INTERNAL_PORTS, ...(spec.ingress === 'none' ? [] : [spec.ingress.http, spec.ingress.https])]
  const problems = await Promise.all(
    ports.map(async (port) => [port, (await connectionProblem({ host, port }, TIMEOUT_MS)) ?? ''] as const),
  )
  const https = spec.ingress === 'none' ? undefined : (address ?? { host, port: spec.ingress.https })
  const name = spec.domain
  const [addresses, certificate, health] = await Promise.all([
    name === undefined
      ? []
      : Promise.all([resolve4(name).catch(() => []), resolve6(name).catch(() => [])]).then((found) => found.flat()),
    https === undefined ? { chain: '', daysLeft: Number.NaN } : certificateOf(https.host, https.port, nowMs),
    https === undefined ? '' : healthOf(https.host, https.port),
  ])
  return { skipped: '', ports: new Map(problems), addresses, ...certificate, health }
}
