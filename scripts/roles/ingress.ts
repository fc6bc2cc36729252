/** Caddy in front: TLS, redirects, security headers. The Caddyfile is used as it is; it varies by an environment file. */

import { parsePins } from '../artifacts/pin.ts'
import { render } from '../core/template.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import { archive, archiveMarker } from '../resources/archive.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import { unit } from '../resources/unit.ts'
import type { Role } from '../spec/role.ts'

const ROOT = { owner: 'root', group: 'root' } as const

/** Our word for a platform to Caddy's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { 'linux-x64': 'linux_amd64', 'linux-arm64': 'linux_arm64' }

/** A changed Caddyfile is a restart (about a tenth of a second): Caddy's admin API, which could reload, is off. */
export const ingress: Role = (spec, text) => {
  const { caddy: pin } = parsePins(text('versions.yaml'))
  const address = spec.downloads.caddy ?? pin.download
  const downloads = Object.entries(pin.archives).map(([platform, sha256]) => {
    const url = `${address}/v${pin.version}/caddy_${pin.version}_${ARCHITECTURES[platform]}.tar.gz`
    return [platform, { url, sha256 }] as const
  })
  const path = `/opt/tappass/caddy/${pin.version}`
  const template = text('units/tappass-caddy.service.hbs')
  const environment = render(text('templates/caddy.env.hbs'), { site: spec.domain ?? '', tls: spec.tls })
  const files = [
    { path: '/etc/tappass/Caddyfile', content: text('Caddyfile') },
    { path: '/etc/tappass/caddy.env', content: environment },
  ]
  return [
    directory({ path: '/opt/tappass/caddy', ...ROOT, mode: '0755' }),
    archive({
      source: spec.caddy.archive ?? { downloads: Object.fromEntries(downloads) },
      path,
      link: '/opt/tappass/caddy/current',
      executable: 'caddy',
    }),
    ...files.map((each) => file({ ...each, ...ROOT, mode: '0644' })),
    unit({
      name: 'tappass-caddy.service',
      content: (traits) =>
        render(template, {
          files: files.map(({ path }) => path).join(' '),
          hasSteppedRestart: hasSteppedRestart(traits),
        }),
      files,
      inputs: [pin.version, spec.caddy.archive?.sha256 ?? ''],
      // A Caddy that was altered may run: what was unpacked anew is another input.
      inputPaths: [archiveMarker(path)],
    }),
  ]
}
