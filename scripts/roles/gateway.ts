/** The gateway: Node, the release, the migrations, and the instances that share one socket. */

import { HOST_PATH } from '../../contract/path.ts'
import { gatewayInstances, UNIT } from '../../contract/unit.ts'
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
import { GATEWAY_SECRET_IDS, OPTIONAL_SECRET_IDS, OWNER_SECRET_ID } from '../secrets/secret-id.ts'
import { egressRules } from '../spec/egress-rule.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { publicPort } from '../spec/ingress-spec.ts'
import type { Role } from '../spec/role.ts'

const ROOT = { owner: 'root', group: 'root' } as const
function nodePath(pin: Pins['node'][number]): string {
  return `${HOST_PATH.nodeFolder}/${pin.version}`
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
    link: HOST_PATH.currentNode,
    executable: 'bin/node',
  })
}

function programs(pin: Pins['node'][number], address: string, spec: HostSpec): readonly Resource[] {
  return [
    directory({ path: HOST_PATH.nodeFolder, ...ROOT, mode: '0755' }),
    directory({ path: HOST_PATH.releasesFolder, ...ROOT, mode: '0755' }),
    node(pin, address, spec),
    release({ root: HOST_PATH.programFolder, pack: spec.release }),
  ]
}

/** Release and Node are inputs of the revision: units reach both through links whose names never change. */
function programInputs(spec: HostSpec, pin: Pins['node'][number]): readonly string[] {
  return [spec.release.version, pin.version, spec.node.archive?.sha256 ?? '']
}

function environmentOf(spec: HostSpec, template: string): string {
  return render(template, { ...spec, publicPort: publicPort(spec.ingress, spec.tls) })
}

/** The role `gateway`. The instances come last, one after the other: each is READY before the next is restarted. */
export const gateway: Role = (spec, text) => {
  const pins = parsePins(text('versions.yaml'))
  const [pin] = pins.node as [Pins['node'][number]]
  const files = [
    { path: HOST_PATH.gatewayEnvironment, content: environmentOf(spec, text('templates/gateway.env.hbs')) },
  ]
  const inputs = programInputs(spec, pin)
  // A modified Node may be running: unpacking it again changes the revision.
  const program = archiveMarker(nodePath(pin))
  const [socketUnit, migrateUnit, gatewayUnit] = [
    text(`units/${UNIT.socket}`),
    text(`units/${UNIT.migrate}.hbs`),
    text(`units/${UNIT.gateway}.hbs`),
  ]
  const instance: Omit<UnitOptions, 'name'> = {
    content: (traits) =>
      render(gatewayUnit, {
        files: HOST_PATH.gatewayEnvironment,
        egressRules: egressRules(spec.gateway.upstream, traits.network.resolvers),
        credentials: [
          ...GATEWAY_SECRET_IDS.map((id) => credentialLine(traits, id)),
          ...OPTIONAL_SECRET_IDS.flatMap((id) => optionalCredentialLines(traits, id)),
        ],
        hasSteppedRestart: hasSteppedRestart(traits),
      }),
    files,
    inputs,
    inputPaths: [program, ...[...GATEWAY_SECRET_IDS, ...OPTIONAL_SECRET_IDS].flatMap(credentialPaths)],
  }
  const instances = gatewayInstances(spec.instances)
  return [
    ...programs(pin, spec.downloads.node ?? pins['node-download'], spec),
    ...files.map((each) => file({ ...each, ...ROOT, mode: '0644' })),
    unit({
      name: UNIT.migrate,
      content: (traits) =>
        render(migrateUnit, {
          files: HOST_PATH.gatewayEnvironment,
          credentials: [credentialLine(traits, OWNER_SECRET_ID)],
        }),
      files,
      inputs,
      inputPaths: [program, ...credentialPaths(OWNER_SECRET_ID)],
    }),
    unit({ name: UNIT.gateway, ...instance }),
    unit({ name: UNIT.socket, content: socketUnit, restartedTogether: instances }),
    ...instances.map((name) => unit({ name, ...instance })),
    surplusInstance({ template: 'tappass', count: spec.instances }),
  ]
}
