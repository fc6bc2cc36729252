/** Caddy as ingress: TLS, redirects, security headers. The Caddyfile is static; an environment file configures it. */

import { isIPv6 } from 'node:net'
import { HOST_PATH } from '../../contract/path.ts'
import { standbyUnit, UNIT } from '../../contract/unit.ts'
import { type Pins, parsePins } from '../artifacts/pin.ts'
import type { Resource } from '../core/resource.ts'
import { render } from '../core/template.ts'
import { unitPath } from '../core/unit-command.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import type { HostTraits } from '../facts/host-trait.ts'
import { toolRules } from '../firewall/firewall-spec.ts'
import { absentFile } from '../resources/absent-file.ts'
import { absentUnit } from '../resources/absent-unit.ts'
import { archive, archiveMarker } from '../resources/archive.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import { firewall } from '../resources/firewall.ts'
import { ingressOpening } from '../resources/packet-filter.ts'
import { requiredSecret } from '../resources/required-secret.ts'
import { secret } from '../resources/secret.ts'
import { stoppedUnit } from '../resources/stopped-unit.ts'
import { surplusInstance } from '../resources/surplus-instance.ts'
import { unit } from '../resources/unit.ts'
import { credentialLine, credentialPaths } from '../secrets/credential.ts'
import { filterSetting } from '../spec/filter-setting.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { ofIngress } from '../spec/ingress-guard.ts'
import {
  type IngressSpec,
  ingressPorts,
  ingressUdpPorts,
  isLive,
  isPrepared,
  neededIngressSecrets,
  publicPort,
} from '../spec/ingress-spec.ts'
import { memoryLimits } from '../spec/memory-limit.ts'
import { proxyFor, proxyVariables } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'

const ROOT = { owner: 'root', group: 'root' } as const

/** Caddy's platform names, by ours. */
const ARCHITECTURES: Readonly<Record<string, string>> = { 'linux-x64': 'linux_amd64', 'linux-arm64': 'linux_arm64' }

type Ports = Exclude<IngressSpec, 'none'>

/**
 * Without a domain the host answers to every name, but has certificates for its own names and addresses only: one for each name that
 * somebody invents would fill the disk.
 */
function subjects({ names }: Ports, { network }: HostTraits): readonly string[] {
  const own = ['localhost', '127.0.0.1', '::1', ...network.names, ...network.addresses]
  return [...new Set([...own, ...names.map((name) => name.toLowerCase())])]
}

/** Caddy asks two authorities by itself; named, it is one. A profile without a directory is that of the first. */
function acmeVariables({ directory = LETS_ENCRYPT, profile }: HostSpec['acme']): readonly string[] {
  return [`TAPPASS_ACME_DIRECTORY=${directory}`, ...(profile === undefined ? [] : [`TAPPASS_ACME_PROFILE=${profile}`])]
}

function certificateSource({ tls, acme }: HostSpec): string {
  if (tls !== 'public' || Object.keys(acme).length === 0) return tls
  return acme.profile === undefined ? 'acme' : 'acme-profile'
}

function environmentOf(ports: Ports, spec: HostSpec, template: string): (traits: HostTraits) => string {
  const { domain, tls, proxy, acme } = spec
  const isNamed = domain !== undefined
  const site = (traits: HostTraits) =>
    [...subjects(ports, traits).map((name) => (isIPv6(name) ? `[${name}]` : name)), ''].map((name) => `https://${name}`)
  return (traits) =>
    render(template, {
      site: isNamed ? `https://${domain}` : site(traits).join(', '),
      otherNames: isNamed ? 'refused' : 'served',
      name: domain ?? traits.network.name,
      tls: certificateSource(spec),
      acme: Object.keys(acme).length === 0 ? [] : acmeVariables(acme),
      httpPort: ports.http,
      httpsPort: ports.https,
      protocols: ports.http3 ? 'h1 h2 h3' : 'h1 h2',
      redirectPort: publicPort(ports, tls),
      proxy: proxyVariables(proxy),
    })
}

function program(pin: Pins['caddy'], spec: HostSpec, path: string): readonly Resource[] {
  const address = spec.downloads.caddy ?? pin.download
  const downloads = Object.entries(pin.archives).map(([platform, sha256]) => {
    const url = `${address}/v${pin.version}/caddy_${pin.version}_${ARCHITECTURES[platform]}.tar.gz`
    return [platform, { url, sha256, proxy: proxyFor(spec.proxy, url) }] as const
  })
  return [
    directory({ path: HOST_PATH.caddyFolder, ...ROOT, mode: '0755' }),
    archive({
      source: spec.caddy.archive ?? {
        downloads: Object.fromEntries(downloads),
        setting: 'caddy',
        remedy: 'downloads.caddy: a mirror that it can reach, caddy.archive: a file, or proxy.https',
      },
      path,
      link: HOST_PATH.currentCaddy,
      executable: 'caddy',
    }),
  ]
}

const STANDBY = standbyUnit(UNIT.caddy)
const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory'
const OWN_CERTIFICATE = ['tls-certificate', 'tls-key'] as const
const LISTENER_RULE = 'templates/caddy/listener-rule.pl'

/** Where ufw or firewalld is active, what others may reach is open there, the ingress and more. */
function inTools({ firewall: setting, ingress: ports }: HostSpec): Resource {
  return firewall({ ports: toolRules(setting, ingressPorts(ports)).ports, udpPorts: ingressUdpPorts(ports) })
}

/** In our packet filter, before Caddy is there; what was open before is closed by the role `firewall`. */
function opening(spec: HostSpec, text: (path: string) => string): readonly Resource[] {
  const options = filterSetting(spec, text)
  return options === undefined ? [] : [ingressOpening(options)]
}

/** What is to be gone or to rest, once what serves instead is up. */
function others({ ingress }: HostSpec): readonly Resource[] {
  const where = ingress === 'none' ? 'ingress is none' : `ingress.kind is ${ingress.kind}`
  const live = ingress === 'none' || ingress.kind !== 'both' ? where : `ingress.live is ${ingress.live ?? 'caddy'}`
  return [
    ...(isPrepared(ingress, 'caddy')
      ? []
      : [STANDBY, UNIT.caddy].map((name) => absentUnit({ name, reason: `the setting ${where}` }))),
    ...(isPrepared(ingress, 'caddy') && !isLive(ingress, 'caddy')
      ? [STANDBY, UNIT.caddy].map((name) => stoppedUnit({ name, reason: `the setting ${live}` }))
      : []),
    ...(isLive(ingress, 'tunnel')
      ? []
      : [surplusInstance({ template: 'tappass-tunnel', count: 0, reason: `the setting ${live}` })]),
    ...(isPrepared(ingress, 'tunnel')
      ? []
      : [absentFile({ path: unitPath(UNIT.tunnel), reason: `the setting ${where}` })]),
  ]
}

function caddy(ports: Ports, spec: HostSpec, text: (path: string) => string): readonly Resource[] {
  const { caddy: pin } = parsePins(text('versions.yaml'))
  const path = `${HOST_PATH.caddyFolder}/${pin.version}`
  const template = text(`units/${UNIT.caddy}.hbs`)
  const environment = environmentOf(ports, spec, text('templates/caddy.env.hbs'))
  const files = [
    { path: HOST_PATH.caddyfile, content: text('Caddyfile') },
    { path: HOST_PATH.caddyEnvironment, content: environment },
  ]
  const credentials = spec.tls === 'own' ? OWN_CERTIFICATE : []
  const content = (isStandby: boolean) => (traits: HostTraits) =>
    render(template, {
      isStandby,
      other: isStandby ? UNIT.caddy : STANDBY,
      listenerRule: HOST_PATH.listenerRule,
      credentials: credentials.map((id) => credentialLine(traits, id)),
      memory: memoryLimits(spec, traits.memoryMegabytes),
      files: files.map((each) => each.path).join(' '),
      hasSteppedRestart: hasSteppedRestart(traits),
    })
  const rests = isLive(ports, 'caddy') ? {} : ({ isEnabled: false, isRunning: false } as const)
  const needed = neededIngressSecrets(spec).filter(({ id }) => id.startsWith('tls-'))
  return [
    ...needed.map((each) => {
      const provided = spec.secrets[each.id]
      return provided === undefined ? requiredSecret(each) : secret({ id: each.id, provided })
    }),
    ...program(pin, spec, path),
    file({ path: HOST_PATH.listenerRule, content: text(LISTENER_RULE), ...ROOT, mode: '0644' }),
    ...files.map((each) => file({ ...each, ...ROOT, mode: '0644' })),
    ...(isLive(ports, 'caddy') ? [inTools(spec), ...opening(spec, text)] : []),
    unit({ name: STANDBY, content: content(true), isEnabled: false, isRunning: false }),
    unit({
      name: UNIT.caddy,
      content: content(false),
      files,
      inputs: [pin.version, spec.caddy.archive?.sha256 ?? ''],
      // A modified Caddy may be running: unpacking it again changes the revision.
      inputPaths: [archiveMarker(path), ...credentials.flatMap(credentialPaths)],
      standby: STANDBY,
      ...rests,
    }),
  ]
}

/**
 * The role `ingress`. What is changed, program or settings, is another process: the new one accepts connections before the old one stops to. So
 * it is between Caddy and a tunnel: what serves from now on is up before what served until now is told to stop. All of it is put back when it
 * does not answer as before.
 */
export const ingress: Role = (spec, text) => [
  ...ofIngress([
    ...(spec.ingress !== 'none' && isPrepared(spec.ingress, 'caddy') ? caddy(spec.ingress, spec, text) : []),
    ...others(spec),
  ]),
  ...(isLive(spec.ingress, 'caddy') ? [] : [inTools(spec)]),
]
