/** The gateway: Node, the release, the migrations, and the instances that share one socket. */

import { type Pins, parsePins } from '../artifacts/pin.ts'
import type { Resource } from '../core/resource.ts'
import { render } from '../core/template.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import { archive, archiveMarker } from '../resources/archive.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import { release } from '../resources/release.ts'
import { surplusInstance } from '../resources/surplus-instance.ts'
import { type UnitOptions, unit } from '../resources/unit.ts'
import { credentialLine, credentialPaths, optionalCredentialLines } from '../secrets/credential.ts'
import { GENERATED_SECRET_IDS, OPTIONAL_SECRET_IDS } from '../secrets/secret-id.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import type { Role } from '../spec/role.ts'

const ROOT = { owner: 'root', group: 'root' } as const
function nodePath(pin: Pins['node'][number]): string {
  return `/opt/tappass/node/${pin.version}`
}

function node(pin: Pins['node'][number], address: string, spec: HostSpec): Resource {
  const downloads = Object.entries(pin.archives).map(([platform, sha256]) => {
    const url = `${address}/v${pin.version}/node-v${pin.version}-${platform}.tar.gz`
    return [platform, { url, sha256 }] as const
  })
  return archive({
    source: spec.node.archive ?? { downloads: Object.fromEntries(downloads) },
    path: nodePath(pin),
    strip: 1,
    link: '/opt/tappass/node/current',
    executable: 'bin/node',
  })
}

function programs(pin: Pins['node'][number], address: string, spec: HostSpec): readonly Resource[] {
  return [
    directory({ path: '/opt/tappass/node', ...ROOT, mode: '0755' }),
    directory({ path: '/opt/tappass/releases', ...ROOT, mode: '0755' }),
    node(pin, address, spec),
    release({ root: '/opt/tappass', pack: spec.release }),
  ]
}

/** Release and Node are inputs of the revision: units reach both through links whose names never change. */
function programInputs(spec: HostSpec, pin: Pins['node'][number]): readonly string[] {
  return [spec.release.version, pin.version, spec.node.archive?.sha256 ?? '']
}

/** The role `gateway`. The instances come last, one after the other: each is READY before the next is restarted. */
export const gateway: Role = (spec, text) => {
  const pins = parsePins(text('versions.yaml'))
  const [pin] = pins.node as [Pins['node'][number]]
  const environment = render(text('templates/gateway.env.hbs'), { ...spec })
  const files = [{ path: '/etc/tappass/gateway.env', content: environment }]
  const inputs = programInputs(spec, pin)
  // A modified Node may be running: unpacking it again changes the revision.
  const program = archiveMarker(nodePath(pin))
  const [socketUnit, migrateUnit, gatewayUnit] = [
    text('units/tappass.socket'),
    text('units/tappass-migrate.service.hbs'),
    text('units/tappass@.service.hbs'),
  ]
  const instance: Omit<UnitOptions, 'name'> = {
    content: (traits) =>
      render(gatewayUnit, {
        files: '/etc/tappass/gateway.env',
        credentials: [
          ...GENERATED_SECRET_IDS.map((id) => credentialLine(traits, id)),
          ...OPTIONAL_SECRET_IDS.flatMap((id) => optionalCredentialLines(traits, id)),
        ],
        hasSteppedRestart: hasSteppedRestart(traits),
      }),
    files,
    inputs,
    inputPaths: [program, ...[...GENERATED_SECRET_IDS, ...OPTIONAL_SECRET_IDS].flatMap(credentialPaths)],
  }
  const instances = Array.from({ length: spec.instances }, (_, index) => `tappass@${index + 1}.service`)
  return [
    ...programs(pin, spec.downloads.node ?? pins['node-download'], spec),
    ...files.map((each) => file({ ...each, ...ROOT, mode: '0644' })),
    unit({
      name: 'tappass-migrate.service',
      content: (traits) =>
        render(migrateUnit, {
          files: '/etc/tappass/gateway.env',
          credentials: GENERATED_SECRET_IDS.map((id) => credentialLine(traits, id)),
        }),
      files,
      inputs,
      inputPaths: [program, ...GENERATED_SECRET_IDS.flatMap(credentialPaths)],
    }),
    unit({ name: 'tappass@.service', ...instance }),
    unit({ name: 'tappass.socket', content: socketUnit, restartedTogether: instances }),
    ...instances.map((name) => unit({ name, ...instance })),
    surplusInstance({ template: 'tappass', count: spec.instances }),
  ]
}
