/** The gateway: Node, the release, the migrations, and the instances that share one socket. */

import { GATEWAY_HOST, GATEWAY_PORT, SPIFFE_PORT } from '../../contract/gateway.ts'
import { parseMigrationHeader } from '../../contract/migration-header.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { credentialId, nextCredentialId } from '../../contract/secret.ts'
import { gatewayInstances, SERVING, UNIT } from '../../contract/unit.ts'
import { type Pins, parsePins } from '../artifacts/pin.ts'
import { parseLadder } from '../artifacts/release-ladder.ts'
import type { Resource } from '../core/resource.ts'
import { render } from '../core/template.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import type { HostTraits } from '../facts/host-trait.ts'
import { egressRules } from '../firewall/egress-rule.ts'
import { absentUnit } from '../resources/absent-unit.ts'
import { archive, archiveMarker } from '../resources/archive.ts'
import { databaseMove, databaseReturn } from '../resources/database-move.ts'
import { directory } from '../resources/directory.ts'
import { currentRelease, release } from '../resources/release.ts'
import { releasePath } from '../resources/release-path.ts'
import { rotatedSecret } from '../resources/rotated-secret.ts'
import { assertCurrentStarts, schema } from '../resources/schema.ts'
import { soak } from '../resources/soak.ts'
import { surplusInstance } from '../resources/surplus-instance.ts'
import { unit } from '../resources/unit.ts'
import { firstUnitTemplate, unitTemplate } from '../resources/unit-template.ts'
import { credentialLine, credentialPaths, optionalCredentialLines } from '../secrets/credential.ts'
import { DATABASE_ROLES } from '../secrets/database-password.ts'
import {
  GATEWAY_OPTIONAL_SECRET_IDS,
  GATEWAY_SECRET_IDS,
  GENERATED_SECRET_IDS,
  OWNER_SECRET_ID,
} from '../secrets/secret-id.ts'
import { endsOverlap, GATEWAY_NEXT_SECRET_IDS, isOverlapping, ROTATION_KINDS } from '../secrets/secret-rotation.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { publicPort } from '../spec/ingress-spec.ts'
import { memoryLimits } from '../spec/memory-limit.ts'
import { migrationUnit, storageLines } from '../spec/migration-unit.ts'
import { type OpaServer, opaServerOf } from '../spec/policy-spec.ts'
import { proxyFor } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'
import { gatewayStorageIds, givenDatabase, isExternal, migrationStorageIds } from '../storage/storage-spec.ts'
import { storageOfInstance } from '../storage/storage-unit.ts'

const ROOT = { owner: 'root', group: 'root' } as const
function nodePath(pin: Pins['node'][number]): string {
  return `${HOST_PATH.nodeFolder}/${pin.version}`
}

function node(pin: Pins['node'][number], address: string, spec: HostSpec): Resource {
  const downloads = Object.entries(pin.archives).map(([platform, sha256]) => {
    const url = `${address}/v${pin.version}/node-v${pin.version}-${platform}.tar.gz`
    return [platform, { url, sha256, proxy: proxyFor(spec.proxy, url) }] as const
  })
  return archive({
    source: spec.node.archive ?? {
      downloads: Object.fromEntries(downloads),
      setting: 'node',
      remedy: 'downloads.node: a mirror that it can reach, node.archive: a file, or proxy.https',
    },
    path: nodePath(pin),
    strip: 1,
    link: HOST_PATH.currentNode,
    executable: 'bin/node',
  })
}

/** What a release says of its own rules, policy and migrations. */
const SELF_CHECK = [HOST_PATH.nodeProgram, '--disable-warning=ExperimentalWarning', 'server/self-check.ts']

function programs(pin: Pins['node'][number], address: string, spec: HostSpec): readonly Resource[] {
  return [
    directory({ path: HOST_PATH.nodeFolder, ...ROOT, mode: '0755' }),
    directory({ path: HOST_PATH.releasesFolder, ...ROOT, mode: '0755' }),
    node(pin, address, spec),
    release({ root: HOST_PATH.programFolder, pack: spec.release, check: SELF_CHECK }),
  ]
}

/** Release and Node are inputs of the revision: with files of the operator, Node's folder may hold another one under the same name. */
function programInputs(spec: HostSpec, pin: Pins['node'][number]): readonly string[] {
  return [spec.release.version, pin.version, spec.node.archive?.sha256 ?? '']
}

function environmentOf(spec: HostSpec, template: string, opa: OpaServer | undefined): string {
  const { ingress, tls } = spec
  const paths = { opaSocket: opa?.socket ?? '', svidFolder: HOST_PATH.svidFolder }
  const storage = { hasPostgres: !isExternal(spec, 'database'), hasRedis: !isExternal(spec, 'redis') }
  return render(template, { ...spec, ...paths, ...storage, publicPort: publicPort(ingress, tls) })
}

const GATEWAY_PASSWORD_ID = credentialId('POSTGRES_PASSWORD')

/** The instances' text, their settings, and what else their revision covers. */
function instanceSource(
  template: string,
  programs: Readonly<{ release: string; node: string }>,
  settings: Readonly<{ path: string; content: string }>,
  { inputs, spec, opa }: Readonly<{ inputs: readonly string[]; spec: HostSpec; opa: OpaServer | undefined }>,
) {
  const required = GATEWAY_SECRET_IDS.filter((id) => !isExternal(spec, 'database') || id !== GATEWAY_PASSWORD_ID)
  const optional = [...GATEWAY_OPTIONAL_SECRET_IDS, ...GATEWAY_NEXT_SECRET_IDS].filter(
    (id) => !isExternal(spec, 'database') || id !== nextCredentialId(GATEWAY_PASSWORD_ID),
  )
  return {
    content: (traits: HostTraits) =>
      render(template, {
        ...programs,
        ...storageOfInstance(spec),
        files: settings.path,
        opaUnit: opa?.unit ?? '',
        hasIdentity: spec.identity !== undefined,
        egressRules: egressRules([spec.gateway.upstream, spec.traces.endpoint], traits.network.resolvers),
        memory: memoryLimits(spec, traits.memoryMegabytes),
        credentials: [
          ...required.map((id) => credentialLine(traits, id)),
          ...optional.flatMap((id) => optionalCredentialLines(traits, id)),
          ...storageLines(traits, gatewayStorageIds(spec)),
        ],
        hasSteppedRestart: hasSteppedRestart(traits),
      }),
    files: [{ path: settings.path, content: settings.content }],
    inputs,
    inputPaths: [
      // A modified Node may be running: unpacking it again changes the revision.
      archiveMarker(programs.node),
      ...[...required, ...optional, ...gatewayStorageIds(spec)].flatMap(credentialPaths),
    ],
  }
}

/**
 * The socket for SPIFFE. Its file comes before the instances, whose start opens it (Sockets=): by itself systemd opens no socket of a service
 * that runs. Without identities it is gone.
 */
function spiffeSocket({ identity, instances }: HostSpec, content: string) {
  const name = UNIT.spiffeSocket
  if (identity === undefined)
    return { file: [], socket: [absentUnit({ name, reason: 'the setting identity is absent' })] }
  const listensAt = { host: GATEWAY_HOST, port: SPIFFE_PORT }
  const written = unit({ name, content, isRunning: false })
  return {
    file: [{ ...written, id: `unit-file:${name}` }],
    socket: [unit({ name, listensAt, restartedTogether: gatewayInstances(instances) })],
  }
}

/** By now every instance knows the next values: those of passwords are put in force, and those that others have when that is asked for. */
function endOfRotations(spec: HostSpec): readonly Resource[] {
  return GENERATED_SECRET_IDS.filter(
    (id) =>
      (ROTATION_KINDS[id] === 'password' && !isExternal(spec, 'database')) ||
      (ROTATION_KINDS[id] !== 'password' && isOverlapping(id) && endsOverlap(spec.rotation, id)),
  ).map((id) => rotatedSecret({ id, databaseRole: DATABASE_ROLES[id] }))
}

/** The secrets with which migrations log in. */
function migrationIds(spec: HostSpec): readonly string[] {
  return isExternal(spec, 'database') ? migrationStorageIds(spec) : [OWNER_SECRET_ID]
}

/** The way to the release, what becomes of the data, and the schema that it needs; the unit that migrates at boot. */
function migrations(
  spec: HostSpec,
  text: (path: string) => string,
  folders: Readonly<{ release: string; node: string }>,
) {
  const template = text(`units/${UNIT.migrate}.hbs`)
  const before = [
    releasePath({ version: spec.release.version, stops: parseLadder(text('upgrades.yaml')) }),
    schema({
      pack: spec.release,
      migration: (release, isFinishing) =>
        migrationUnit(template, { ...folders, release }, spec, { isBoot: false, isFinishing }),
      addresses: migrationStorageIds(spec),
      phaseOf: (file) => parseMigrationHeader(text(`migrations/${file}`)).phase,
      isFinishing: spec.releaseChange?.isFinishing === true,
    }),
  ]
  const move = { isElsewhere: isExternal(spec, 'database'), choice: spec.data, folder: folders.release }
  return {
    before: [databaseMove({ ...move, address: givenDatabase(spec.secrets) }), ...before],
    after: [databaseReturn(move)],
    atBoot: migrationUnit(template, folders, spec, { isBoot: true, isFinishing: false }),
  }
}

/** The time before a release is in force, where that was asked for. */
function watch({ releaseChange, release: { version }, instances }: HostSpec, text: (path: string) => string) {
  const seconds = releaseChange?.soakSeconds ?? 0
  if (seconds === 0) return []
  const script = text('scripts/watch-instances.sh')
  return [soak({ version, instances: gatewayInstances(instances), serving: SERVING, seconds, script })]
}

/**
 * The role `gateway`. The new release migrates the database, then each instance is moved to it and has to serve before the next one is
 * moved; all are watched for a while where that was asked for; what is in force (template, settings, migrations at boot, `current`) changes last.
 * When an instance does not serve or does not stand its time, those that were moved go back.
 */
export const gateway: Role = (spec, text) => {
  const pins = parsePins(text('versions.yaml'))
  const [pin] = pins.node as [Pins['node'][number]]
  const pack = { root: HOST_PATH.programFolder, pack: spec.release }
  const inputs = programInputs(spec, pin)
  const folders = { release: `${HOST_PATH.releasesFolder}/${spec.release.version}`, node: nodePath(pin) }
  const opa = opaServerOf(spec, text)
  const settings = {
    path: HOST_PATH.gatewayEnvironment,
    nextPath: HOST_PATH.nextGatewayEnvironment,
    content: environmentOf(spec, text('templates/gateway.env.hbs'), opa),
  }
  const source = instanceSource(text(`units/${UNIT.gateway}.hbs`), folders, settings, { inputs, spec, opa })
  const rollout = { template: UNIT.gateway, settings }
  const template = { source, rollout, serving: SERVING, assertCanGoBack: assertCurrentStarts }
  const { before, after, atBoot } = migrations(spec, text, folders)
  const instances = gatewayInstances(spec.instances)
  const spiffe = spiffeSocket(spec, text(`units/${UNIT.spiffeSocket}`))
  return [
    ...programs(pin, spec.downloads.node ?? pins['node-download'], spec),
    firstUnitTemplate(template),
    ...before,
    unit({
      name: UNIT.socket,
      content: text(`units/${UNIT.socket}`),
      listensAt: { host: GATEWAY_HOST, port: GATEWAY_PORT },
      restartedTogether: instances,
    }),
    ...spiffe.file,
    ...instances.map((name) => unit({ name, ...source, serving: SERVING, rollout })),
    surplusInstance({ template: 'tappass', count: spec.instances }),
    ...watch(spec, text),
    unitTemplate(template),
    ...after,
    ...spiffe.socket,
    ...endOfRotations(spec),
    unit({
      name: UNIT.migrate,
      content: atBoot,
      files: source.files,
      inputs,
      inputPaths: [archiveMarker(folders.node), ...migrationIds(spec).flatMap(credentialPaths)],
    }),
    currentRelease(pack),
  ]
}
