/** The packet filter that a specification asks for: what is let in for its ingress, and what is let out for all that a server itself needs. */
import { UNIT } from '../../contract/unit.ts'
import { registryUrl } from '../artifacts/image-reference.ts'
import { parsePins } from '../artifacts/pin.ts'
import { type FilterOptions, filterOptions } from '../firewall/filter-options.ts'
import type { OutboundRule } from '../firewall/firewall-spec.ts'
import { outboundRows } from '../firewall/outbound.ts'
import { storeOf } from '../storage/backup-store-spec.ts'
import { isExternal } from '../storage/storage-spec.ts'
import { type HostSpec, OPENAI_ADDRESS } from './host-spec.ts'
import { ingressPorts, ingressUdpPorts, isPrepared, tunnelOf } from './ingress-spec.ts'
import { hasOpa } from './policy-spec.ts'
import { proxyFor } from './proxy.ts'

/** Hosts that an address sends on to. */
const SENT_ON: Readonly<Record<string, readonly string[]>> = {
  'github.com': ['objects.githubusercontent.com', 'release-assets.githubusercontent.com'],
  'registry-1.docker.io': ['auth.docker.io', 'production.cloudflare.docker.com', 'production.cloudfront.docker.com'],
  'pypi.org': ['files.pythonhosted.org'],
}

/** Both that Caddy asks unless one is named. */
const AUTHORITIES = ['https://acme-v02.api.letsencrypt.org/', 'https://acme.zerossl.com/', 'https://api.zerossl.com/']

/** Where Cloudflare's connectors go. */
const TUNNEL_EDGE = ['region1.v2.argotunnel.com', 'region2.v2.argotunnel.com']
const TUNNEL_PORT = 7844

type Text = (path: string) => string

function programUrls(spec: HostSpec, text: Text): readonly string[] {
  const pins = parsePins(text('versions.yaml'))
  const { downloads } = spec
  const wants: readonly (readonly [isWanted: boolean, url: string])[] = [
    [spec.node.archive === undefined, downloads.node ?? pins['node-download']],
    [isPrepared(spec.ingress, 'caddy') && spec.caddy.archive === undefined, downloads.caddy ?? pins.caddy.download],
    [
      tunnelOf(spec.ingress) !== undefined && spec.cloudflared.archive === undefined,
      downloads.cloudflared ?? pins.cloudflared.download,
    ],
    [spec.identity !== undefined && spec.spire.archive === undefined, downloads.spire ?? pins.spire.download],
    [
      spec.identity !== undefined && spec.spiffeHelper.archive === undefined,
      downloads.spiffeHelper ?? pins['spiffe-helper'].download,
    ],
    [hasOpa(spec) && spec.opa.program === undefined, downloads.opa ?? pins.opa.download],
    [spec.docker.source === 'vendor', downloads.docker ?? pins.docker.download],
    [spec.site !== 'none' && spec.site.wheels === undefined, 'https://pypi.org/'],
  ]
  return wants.filter(([isWanted]) => isWanted).map(([, url]) => url)
}

function imageUrls(spec: HostSpec, text: Text): readonly string[] {
  const pins = parsePins(text('versions.yaml')).images
  return (['postgres', 'redis'] as const).flatMap((name) => {
    const { archive, reference = pins[name].reference } = spec.images[name]
    const isOurs = !isExternal(spec, name === 'postgres' ? 'database' : 'redis')
    return isOurs && archive === undefined ? [registryUrl(reference)] : []
  })
}

function authorityUrls({ tls, acme, ingress }: HostSpec): readonly string[] {
  if (tls !== 'public' || !isPrepared(ingress, 'caddy')) return []
  if (acme.directory !== undefined) return [acme.directory]
  return acme.profile === undefined ? AUTHORITIES : AUTHORITIES.slice(0, 1)
}

function hostRule(url: string): OutboundRule {
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return {
    port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port),
    protocol: 'tcp',
    to: [host, ...(SENT_ON[host] ?? [])],
  }
}

/** Returns what has to be let out, or the proxy where that goes instead. Apt's mirrors are found on the host; resolvers and time are always let out. */
function neededOutbound(spec: HostSpec, text: Text): readonly OutboundRule[] {
  const store = storeOf(spec)
  const urls = [
    spec.gateway.upstream ?? OPENAI_ADDRESS,
    ...programUrls(spec, text),
    ...imageUrls(spec, text),
    ...authorityUrls(spec),
    ...(store?.kind === 's3' ? [store.endpoint] : []),
  ]
  // Apt and Docker go by it, too.
  const proxies = [spec.proxy.https, spec.proxy.http].filter((each) => each !== undefined)
  const reached = urls.map((url) => proxyFor(spec.proxy, url) ?? url)
  const edge = (protocol: 'tcp' | 'udp'): OutboundRule => ({ port: TUNNEL_PORT, protocol, to: TUNNEL_EDGE })
  return [
    ...[...new Set([...reached, ...proxies])].map(hostRule),
    ...(tunnelOf(spec.ingress) === undefined ? [] : [edge('tcp'), edge('udp')]),
    ...(store?.kind === 'ssh' ? [{ port: store.port, protocol: 'tcp', to: [store.host] } as const] : []),
  ]
}

function outboundOf(spec: HostSpec, text: Text): readonly OutboundRule[] | undefined {
  if (spec.firewall === 'none' || spec.firewall.outbound === undefined) return undefined
  return [...neededOutbound(spec, text), ...spec.firewall.outbound]
}

/** Returns the packet filter; undefined where none is wanted. */
export function filterSetting(spec: HostSpec, text: Text): FilterOptions | undefined {
  const texts = { template: text('templates/nftables/tappass.nft.hbs'), unit: text(`units/${UNIT.firewall}`) }
  return filterOptions(
    spec.firewall,
    {
      ingress: ingressPorts(spec.ingress),
      ingressUdp: ingressUdpPorts(spec.ingress),
      outbound: outboundOf(spec, text),
    },
    texts,
  )
}

/** Returns the rows of the list of who is let out; undefined where nothing is closed. */
export function outboundList(spec: HostSpec, text: Text): readonly string[] | undefined {
  const rules = outboundOf(spec, text)
  return rules === undefined ? undefined : outboundRows(rules)
}
