/** Caddy as ingress: TLS, redirects, security headers. The Caddyfile is static; an environment file configures it. */

import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { parsePins } from '../artifacts/pin.ts'
import { render } from '../core/template.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import { archive, archiveMarker } from '../resources/archive.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import { unit } from '../resources/unit.ts'
import { memoryLimits } from '../spec/memory-limit.ts'
import { proxyFor, proxyVariables } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'

const ROOT = { owner: 'root', group: 'root' } as const

/** Caddy's platform names, by ours. */
const ARCHITECTURES: Readonly<Record<string, string>> = { 'linux-x64': 'linux_amd64', 'linux-arm64': 'linux_arm64' }

/** The role `ingress`. A changed Caddyfile restarts Caddy: its admin API, which could reload it, is off. */
export const ingress: Role = (spec, text) => {
  const { caddy: pin } = parsePins(text('versions.yaml'))
  const address = spec.downloads.caddy ?? pin.download
  const downloads = Object.entries(pin.archives).map(([platform, sha256]) => {
    const url = `${address}/v${pin.version}/caddy_${pin.version}_${ARCHITECTURES[platform]}.tar.gz`
    return [platform, { url, sha256, proxy: proxyFor(spec.proxy, url) }] as const
  })
  const path = `${HOST_PATH.caddyFolder}/${pin.version}`
  const template = text(`units/${UNIT.caddy}.hbs`)
  const environment = render(text('templates/caddy.env.hbs'), {
    ...{ site: spec.domain ?? '', tls: spec.tls },
    proxy: proxyVariables(spec.proxy),
  })
  const files = [
    { path: HOST_PATH.caddyfile, content: text('Caddyfile') },
    { path: HOST_PATH.caddyEnvironment, content: environment },
  ]
  return [
    directory({ path: HOST_PATH.caddyFolder, ...ROOT, mode: '0755' }),
    archive({
      source: spec.caddy.archive ?? { downloads: Object.fromEntries(downloads) },
      path,
      link: HOST_PATH.currentCaddy,
      executable: 'caddy',
    }),
    ...files.map((each) => file({ ...each, ...ROOT, mode: '0644' })),
    unit({
      name: UNIT.caddy,
      content: (traits) =>
        render(template, {
          files: files.map(({ path }) => path).join(' '),
          memory: memoryLimits(spec, traits.memoryMegabytes),
          hasSteppedRestart: hasSteppedRestart(traits),
        }),
      files,
      inputs: [pin.version, spec.caddy.archive?.sha256 ?? ''],
      // A modified Caddy may be running: unpacking it again changes the revision.
      inputPaths: [archiveMarker(path)],
    }),
  ]
}
