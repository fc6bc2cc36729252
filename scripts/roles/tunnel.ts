/** A Cloudflare tunnel as ingress: cloudflared, what it reads, and two connectors, of which one is connected while the other one restarts. */

import { HOST_PATH } from '../../contract/path.ts'
import { CONNECTORS, connectors, UNIT } from '../../contract/unit.ts'
import { type Pins, parsePins } from '../artifacts/pin.ts'
import type { Resource } from '../core/resource.ts'
import { render } from '../core/template.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import type { HostTraits } from '../facts/host-trait.ts'
import { archive, archiveMarker } from '../resources/archive.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import { requiredSecret } from '../resources/required-secret.ts'
import { secret } from '../resources/secret.ts'
import { unit } from '../resources/unit.ts'
import { credentialLine, credentialPaths } from '../secrets/credential.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { ofIngress } from '../spec/ingress-guard.ts'
import { isLive, neededIngressSecrets, tunnelOf } from '../spec/ingress-spec.ts'
import { memoryLimits } from '../spec/memory-limit.ts'
import { proxyFor } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'
import { tunnelConfigText } from '../spec/tunnel-spec.ts'

const ROOT = { owner: 'root', group: 'root' } as const

function program(pin: Pins['cloudflared'], spec: HostSpec, path: string): readonly Resource[] {
  const address = spec.downloads.cloudflared ?? pin.download
  const downloads = Object.entries(pin.archives).map(([platform, sha256]) => {
    const url = `${address}/${pin.version}/cloudflared-${platform.replace('-x64', '-amd64')}`
    return [platform, { url, sha256, proxy: proxyFor(spec.proxy, url) }] as const
  })
  return [
    directory({ path: HOST_PATH.cloudflaredFolder, ...ROOT, mode: '0755' }),
    archive({
      source: spec.cloudflared.archive ?? {
        downloads: Object.fromEntries(downloads),
        setting: 'cloudflared',
        remedy: 'downloads.cloudflared: a mirror that it can reach, cloudflared.archive: a file, or proxy.https',
      },
      path,
      form: 'program',
      link: HOST_PATH.currentCloudflared,
      executable: 'cloudflared',
    }),
  ]
}

/** The role `tunnel`: what is wanted of it. Where it does not serve, the role `ingress` stops it, after what takes its place has started. */
export const tunnel: Role = (spec, text) => {
  const setting = tunnelOf(spec.ingress)
  if (setting === undefined) return []
  const { cloudflared: pin } = parsePins(text('versions.yaml'))
  const needed = neededIngressSecrets(spec).filter(({ id }) => id.startsWith('tunnel-'))
  const path = `${HOST_PATH.cloudflaredFolder}/${pin.version}`
  const isLocal = setting.id !== undefined
  const [credentialId, option] = isLocal
    ? (['tunnel-credentials', '--credentials-file'] as const)
    : (['tunnel-token', '--token-file'] as const)
  const config = { path: HOST_PATH.tunnelConfig, content: tunnelConfigText(setting, spec.domain) }
  const content = (traits: HostTraits): string =>
    render(text(`units/${UNIT.tunnel}.hbs`), {
      ...{ credentialId, option, files: config.path, config: config.path },
      program: HOST_PATH.currentCloudflared,
      credential: credentialLine(traits, credentialId),
      memoryMegabytes: Math.floor(memoryLimits(spec, traits.memoryMegabytes).tunnel / CONNECTORS),
      hasSteppedRestart: hasSteppedRestart(traits),
    })
  const validate = (candidate: string): readonly [string, ...string[]] => [
    ...([
      `${HOST_PATH.currentCloudflared}/cloudflared`,
      'tunnel',
      '--config',
      candidate,
      'ingress',
      'validate',
    ] as const),
  ]
  const running = {
    content,
    files: [config],
    inputs: [pin.version, spec.cloudflared.archive?.sha256 ?? ''],
    inputPaths: [archiveMarker(path), ...credentialPaths(credentialId)],
  }
  return ofIngress([
    ...needed.map((each) => {
      const provided = spec.secrets[each.id]
      return provided === undefined ? requiredSecret(each) : secret({ id: each.id, provided })
    }),
    ...program(pin, spec, path),
    file({ ...config, ...ROOT, mode: '0644', ...(isLocal ? { check: validate } : {}) }),
    unit({ name: UNIT.tunnel, ...running }),
    ...(isLive(spec.ingress, 'tunnel') ? connectors(CONNECTORS).map((name) => unit({ name, ...running })) : []),
  ])
}
