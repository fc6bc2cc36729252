/**
 * Identities: SPIRE's server and agent, and spiffe-helper, which keeps the gateway's SVID. As programs of the host, not in containers: the agent
 * has to see the processes of the host as they are (accounts, /proc, systemd's units), and their vendors publish static programs.
 */

import { HOST_PATH } from '../../contract/path.ts'
import { ACCOUNT, UNIT } from '../../contract/unit.ts'
import { type IdentityProgram, identityArchives } from '../artifacts/identity-archive.ts'
import { type Pins, parsePins } from '../artifacts/pin.ts'
import type { Resource } from '../core/resource.ts'
import { render } from '../core/template.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import type { HostTraits } from '../facts/host-trait.ts'
import { absentUnit } from '../resources/absent-unit.ts'
import { account } from '../resources/account.ts'
import { type ArchiveOptions, archive, archiveMarker } from '../resources/archive.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import { spireAttestation } from '../resources/spire-attestation.ts'
import { spireAuthority } from '../resources/spire-authority.ts'
import { spireEntries } from '../resources/spire-entries.ts'
import { spireRotation } from '../resources/spire-rotation.ts'
import { unit } from '../resources/unit.ts'
import { SPIRE_CA_ID } from '../secrets/secret-rotation.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { gatewayId, hostId, type IdentitySpec, opaId } from '../spec/identity-spec.ts'
import { memoryLimits } from '../spec/memory-limit.ts'
import { hasOpa } from '../spec/policy-spec.ts'
import { proxyFor } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'

const ROOT = { owner: 'root', group: 'root' } as const

/** In the order in which they are ended. */
const UNITS = [UNIT.spiffeHelper, UNIT.spireAgent, UNIT.spireServer]

/** A program that is unpacked: its pin, the key of its settings, and where it stands. */
type Program = Readonly<{
  pin: IdentityProgram
  key: 'spire' | 'spiffeHelper'
  version: string
  folder: string
  link: string
}> &
  Pick<ArchiveOptions, 'strip' | 'executable'>

function programsOf(pins: Pins): Readonly<Record<'spire' | 'helper', Program>> {
  return {
    spire: {
      ...{ pin: 'spire', key: 'spire', version: pins.spire.version },
      ...{ folder: HOST_PATH.spireFolder, link: HOST_PATH.currentSpire },
      ...{ strip: 1, executable: ['bin/spire-server', 'bin/spire-agent'] },
    },
    helper: {
      ...{ pin: 'spiffe-helper', key: 'spiffeHelper', version: pins['spiffe-helper'].version },
      ...{ folder: HOST_PATH.spiffeHelperFolder, link: HOST_PATH.currentSpiffeHelper },
      executable: 'spiffe-helper',
    },
  }
}

function installed(
  { pin, key, version, folder, ...options }: Program,
  pins: Pins,
  spec: HostSpec,
): readonly Resource[] {
  const downloads = identityArchives(pins, pin, spec.downloads[key]).map(({ platform, url, sha256 }) => {
    return [platform, { url, sha256, proxy: proxyFor(spec.proxy, url) }] as const
  })
  const remedy = `downloads.${key}: a mirror that it can reach, ${key}.archive: a file, or proxy.https`
  return [
    directory({ path: folder, ...ROOT, mode: '0755' }),
    archive({
      source: spec[key].archive ?? { downloads: Object.fromEntries(downloads), remedy, setting: key },
      path: `${folder}/${version}`,
      ...options,
    }),
  ]
}

/** A service: its file of settings, and its unit. */
function service(
  name: string,
  config: Readonly<{ path: string; content: string }>,
  { key, version, folder }: Program,
  content: (traits: HostTraits) => string,
  spec: HostSpec,
): Readonly<{ config: Resource; unit: Resource }> {
  return {
    config: file({ ...config, ...ROOT, mode: '0644' }),
    unit: unit({
      name,
      content: content,
      files: [config],
      inputs: [version, spec[key].archive?.sha256 ?? ''],
      // Another program may be running under the same name: unpacking it again changes the revision.
      inputPaths: [archiveMarker(`${folder}/${version}`)],
    }),
  }
}

const HOURS_PER_DAY = 24
const SECONDS_PER_MINUTE = 60

function servicesOf(identity: IdentitySpec, spec: HostSpec, text: (path: string) => string, pins: Pins) {
  const { spire, helper } = programsOf(pins)
  const has = (type: string) =>
    identity.workloads.some(({ selectors }) => selectors.some((each) => each.startsWith(type)))
  const hasDocker = has('docker:')
  const values = {
    ...identity,
    hasDocker,
    hasSystemd: has('systemd:'),
    caHours: identity.caDays * HOURS_PER_DAY,
    agentHours: identity.agentDays * HOURS_PER_DAY,
  }
  const of = (name: string, path: string, program: Program, share: number) => {
    const config = { path, content: render(text(`templates/spire/${path.split('/').at(-1)}.hbs`), values) }
    const content = (traits: HostTraits) =>
      render(text(`units/${name}.hbs`), {
        ...{ hasDocker, files: path, hasSteppedRestart: hasSteppedRestart(traits) },
        megabytes: Math.floor(memoryLimits(spec, traits.memoryMegabytes).identity * share),
      })
    return service(name, config, program, content, spec)
  }
  return {
    server: of(UNIT.spireServer, HOST_PATH.spireServerConfig, spire, 1 / 2),
    agent: of(UNIT.spireAgent, HOST_PATH.spireAgentConfig, spire, 3 / 8),
    helper: of(UNIT.spiffeHelper, HOST_PATH.spiffeHelperConfig, helper, 1 / 8),
  }
}

/**
 * The helper asks as itself and gets the gateway's SVID, which nothing else on the host does. With a host name in it, clients that know
 * nothing of SPIFFE can check it, too. OPA is named so that a bundle server or a log collector may know it; the gateway meets it on a socket of the host.
 */
function entriesOf(identity: IdentitySpec, isOpaHere: boolean): Resource {
  const seconds = (minutes: number | undefined) => (minutes ?? 0) * SECONDS_PER_MINUTE
  const gateway = {
    ...{ spiffeId: gatewayId(identity), selectors: [`unix:user:${ACCOUNT.spiffeHelper}`] },
    ...{ x509SvidSeconds: 0, jwtSvidSeconds: 0, dnsNames: ['localhost'] },
  }
  const opa = {
    ...{ spiffeId: opaId(identity), selectors: [`unix:user:${ACCOUNT.opa}`] },
    ...{ x509SvidSeconds: 0, jwtSvidSeconds: 0, dnsNames: [] },
  }
  const workloads = identity.workloads.map(({ id, selectors, x509SvidMinutes, jwtSvidMinutes }) => ({
    ...{ spiffeId: id, selectors },
    ...{ x509SvidSeconds: seconds(x509SvidMinutes), jwtSvidSeconds: seconds(jwtSvidMinutes), dnsNames: [] },
  }))
  return spireEntries({ hostId: hostId(identity), workloads: [gateway, ...(isOpaHere ? [opa] : []), ...workloads] })
}

/** The role `identity`: the server before its agent, and the entries before the agent that serves them. */
export const identity: Role = (spec, text) => {
  const { identity: issued } = spec
  if (issued === undefined) return UNITS.map((name) => absentUnit({ name, reason: 'the setting identity is absent' }))
  const pins = parsePins(text('versions.yaml'))
  const { spire, helper } = programsOf(pins)
  const services = servicesOf(issued, spec, text, pins)
  return [
    spireAuthority({ trustDomain: issued.trustDomain, version: pins.spire.version }),
    ...[ACCOUNT.spireServer, ACCOUNT.spireAgent, ACCOUNT.spiffeHelper].map((name) => account({ name, isSystem: true })),
    ...installed(spire, pins, spec),
    ...installed(helper, pins, spec),
    directory({ path: HOST_PATH.spireConfigFolder, ...ROOT, mode: '0755' }),
    services.server.config,
    services.agent.config,
    services.helper.config,
    services.server.unit,
    spireAttestation(issued.trustDomain),
    // Before the agent runs: it asks the server for them when it starts, and then every few seconds only.
    entriesOf(issued, hasOpa(spec)),
    services.agent.unit,
    services.helper.unit,
    ...(spec.rotation?.ids.includes(SPIRE_CA_ID) === true ? [spireRotation(spec.rotation)] : []),
  ]
}
