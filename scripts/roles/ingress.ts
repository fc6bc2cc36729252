/** Caddy as ingress: TLS, redirects, security headers. The Caddyfile is static; an environment file configures it. */

import { isIPv6 } from 'node:net'
import { HOST_PATH } from '../../contract/path.ts'
import { standbyUnit, UNIT } from '../../contract/unit.ts'
import { type Pins, parsePins } from '../artifacts/pin.ts'
import type { Resource } from '../core/resource.ts'
import { render } from '../core/template.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import type { HostTraits } from '../facts/host-trait.ts'
import { absentUnit } from '../resources/absent-unit.ts'
import { archive, archiveMarker } from '../resources/archive.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import { firewall } from '../resources/firewall.ts'
import { unit } from '../resources/unit.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { type IngressSpec, ingressPorts, publicPort } from '../spec/ingress-spec.ts'
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

function environmentOf(
  ports: Ports,
  { domain, tls, proxy }: HostSpec,
  template: string,
): (traits: HostTraits) => string {
  const isNamed = domain !== undefined
  const site = (traits: HostTraits) =>
    [...subjects(ports, traits).map((name) => (isIPv6(name) ? `[${name}]` : name)), ''].map((name) => `https://${name}`)
  return (traits) =>
    render(template, {
      site: isNamed ? `https://${domain}` : site(traits).join(', '),
      otherNames: isNamed ? 'refused' : 'served',
      name: domain ?? traits.network.name,
      tls,
      httpPort: ports.http,
      httpsPort: ports.https,
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
        remedy: 'downloads.caddy: a mirror that it can reach, caddy.archive: a file, or proxy.https',
      },
      path,
      link: HOST_PATH.currentCaddy,
      executable: 'caddy',
    }),
  ]
}

const STANDBY = standbyUnit(UNIT.caddy)
const LISTENER_RULE = 'templates/caddy/listener-rule.pl'

/** The role `ingress`. What is changed, program or settings, is another process: the new one accepts connections before the old one stops to. */
export const ingress: Role = (spec, text) => {
  if (spec.ingress === 'none') {
    const units = [STANDBY, UNIT.caddy].map((name) => absentUnit({ name, reason: 'the setting ingress is none' }))
    return [...units, firewall({ ports: [] })]
  }
  const { caddy: pin } = parsePins(text('versions.yaml'))
  const path = `${HOST_PATH.caddyFolder}/${pin.version}`
  const template = text(`units/${UNIT.caddy}.hbs`)
  const environment = environmentOf(spec.ingress, spec, text('templates/caddy.env.hbs'))
  const files = [
    { path: HOST_PATH.caddyfile, content: text('Caddyfile') },
    { path: HOST_PATH.caddyEnvironment, content: environment },
  ]
  const content = (isStandby: boolean) => (traits: HostTraits) =>
    render(template, {
      isStandby,
      other: isStandby ? UNIT.caddy : STANDBY,
      listenerRule: HOST_PATH.listenerRule,
      memory: memoryLimits(spec, traits.memoryMegabytes),
      files: files.map((each) => each.path).join(' '),
      hasSteppedRestart: hasSteppedRestart(traits),
    })
  return [
    ...program(pin, spec, path),
    file({ path: HOST_PATH.listenerRule, content: text(LISTENER_RULE), ...ROOT, mode: '0644' }),
    ...files.map((each) => file({ ...each, ...ROOT, mode: '0644' })),
    firewall({ ports: ingressPorts(spec.ingress) }),
    unit({ name: STANDBY, content: content(true), isEnabled: false, isRunning: false }),
    unit({
      name: UNIT.caddy,
      content: content(false),
      files,
      inputs: [pin.version, spec.caddy.archive?.sha256 ?? ''],
      // A modified Caddy may be running: unpacking it again changes the revision.
      inputPaths: [archiveMarker(path)],
      standby: STANDBY,
    }),
  ]
}
