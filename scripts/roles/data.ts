/** PostgreSQL and Redis: containers without network, reached over UNIX sockets, supervised by systemd. */

import { HOST_PATH } from '../../contract/path.ts'
import { credentialId } from '../../contract/secret.ts'
import { ACCOUNT, UNIT } from '../../contract/unit.ts'
import { majorOf, registryUrl, runnableImage } from '../artifacts/image-reference.ts'
import { parsePins } from '../artifacts/pin.ts'
import { render } from '../core/template.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import type { HostTraits } from '../facts/host-trait.ts'
import { databasePassword } from '../resources/database-password.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import { image } from '../resources/image.ts'
import { postgresCluster } from '../resources/postgres-cluster.ts'
import { postgresMove } from '../resources/postgres-move.ts'
import { unit } from '../resources/unit.ts'
import { credentialLine, optionalCredentialLines } from '../secrets/credential.ts'
import { storedPath } from '../secrets/credential-store.ts'
import { DATABASE_ROLES, passwordRecordPath } from '../secrets/database-password.ts'
import { OWNER_SECRET_ID } from '../secrets/secret-id.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { memoryLimits } from '../spec/memory-limit.ts'
import { proxyFor } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'
import { isExternal } from '../storage/storage-spec.ts'

const ROOT = { owner: 'root', group: 'root' } as const
/** The passwords of the gateway's role and of the owner of its tables; the role of backups has none. */
const GATEWAY_PASSWORD_ID = credentialId('POSTGRES_PASSWORD')
const PASSWORDS = Object.entries(DATABASE_ROLES).map(([id, role]) => ({ id, role }))
const POSTGRES_TEXTS = [
  'postgresql.conf',
  'pg_hba.conf',
  'pg_ident.conf',
  'start.sh',
  'archive.sh',
  'role.sql',
  'check-data.sh',
  'move-data.sh',
] as const

function pathsOf(files: readonly Readonly<{ path: string }>[]): string {
  return files.map(({ path }) => path).join(' ')
}

/** What the host's memory and the settings give PostgreSQL. */
function postgresSizes(spec: HostSpec, { memoryMegabytes }: HostTraits) {
  const { postgres, sharedBuffers } = memoryLimits(spec, memoryMegabytes)
  return { ...spec.postgres, memoryMegabytes: postgres, sharedBuffersMegabytes: sharedBuffers }
}

/** What is pulled, from where, and what runs when a file of the operator is loaded instead. */
function imageOptions(name: keyof HostSpec['images'], pinned: string, { images, proxy }: HostSpec) {
  const { archive, reference = pinned } = images[name]
  const url = registryUrl(reference)
  const remedy = `images.${name}.reference: a registry that it can reach, images.${name}.archive: a file, or proxy.https`
  const registry = proxyFor(proxy, url) === undefined ? { url, remedy } : undefined
  return { reference, registry, setting: `images.${name}`, ...(archive && { archive }) }
}

type DataService = (pins: ReturnType<typeof parsePins>['images'], ...rest: Parameters<Role>) => ReturnType<Role>

type PostgresParts = Readonly<{
  pin: ReturnType<typeof parsePins>['images']['postgres']
  files: readonly Readonly<{ path: string }>[]
  options: ReturnType<typeof imageOptions>
}>

function postgresUnit(template: string, spec: HostSpec, traits: HostTraits, { pin, files, options }: PostgresParts) {
  return render(template, {
    ...postgresSizes(spec, traits),
    ...{ files: pathsOf(files), isArchived: spec.backup.pointInTimeDays > 0 },
    uid: pin.uid,
    major: majorOf(pin.reference),
    image: runnableImage(options.reference, options.archive),
    credentials: [
      credentialLine(traits, GATEWAY_PASSWORD_ID),
      // A run of this role alone must not end a database that is older than this secret.
      ...optionalCredentialLines(traits, OWNER_SECRET_ID),
    ],
    passwords: PASSWORDS.map(({ id }) => ({
      path: storedPath(traits.credentialStore, id),
      record: passwordRecordPath(id),
    })),
    hasSteppedRestart: hasSteppedRestart(traits),
  })
}

const postgres: DataService = ({ postgres: pin }, spec, text) => {
  const options = imageOptions('postgres', pin.reference, spec)
  const files = POSTGRES_TEXTS.map((name) => ({
    path: `${HOST_PATH.postgresConfigFolder}/${name}`,
    content: text(`templates/postgres/${name}`),
  }))
  const template = text(`units/${UNIT.postgres}.hbs`)
  const isArchived = spec.backup.pointInTimeDays > 0
  const source = {
    content: (traits: HostTraits) => postgresUnit(template, spec, traits, { pin, files, options }),
    files,
    inputs: [options.archive?.imageId ?? ''],
  }
  return [
    postgresCluster({ path: HOST_PATH.postgresCluster, marker: HOST_PATH.clusterMarker, ...pin }),
    image(options),
    directory({ path: HOST_PATH.postgresConfigFolder, ...ROOT, mode: '0755' }),
    ...files.map((each) => file({ ...each, ...ROOT, mode: '0644' })),
    directory({ path: HOST_PATH.postgresFolder, owner: pin.uid, group: pin.uid, mode: '0700' }),
    ...(isArchived ? [directory({ path: HOST_PATH.walFolder, owner: pin.uid, group: pin.uid, mode: '0700' })] : []),
    directory({ path: HOST_PATH.postgresSocketFolder, owner: pin.uid, group: ACCOUNT.gateway, mode: '0750' }),
    postgresMove({
      folder: HOST_PATH.postgresFolder,
      script: `${HOST_PATH.postgresConfigFolder}/move-data.sh`,
      version: majorOf(pin.reference),
      image: runnableImage(options.reference, options.archive),
      uid: pin.uid,
      unit: source,
      isFinishing: spec.releaseChange?.isFinishing === true,
    }),
    unit({ name: UNIT.postgres, ...source }),
    // Not an input of the unit: another password is no reason to end the database.
    ...PASSWORDS.map(databasePassword),
  ]
}

const redis: DataService = ({ redis: pin }, spec, text) => {
  const options = imageOptions('redis', pin.reference, spec)
  const files = [{ path: `${HOST_PATH.redisConfigFolder}/redis.conf`, content: text('templates/redis/redis.conf') }]
  const template = text(`units/${UNIT.redis}.hbs`)
  return [
    image(options),
    directory({ path: HOST_PATH.redisConfigFolder, ...ROOT, mode: '0755' }),
    ...files.map((each) => file({ ...each, ...ROOT, mode: '0644' })),
    directory({ path: HOST_PATH.redisSocketFolder, owner: pin.uid, group: ACCOUNT.gateway, mode: '0750' }),
    unit({
      name: UNIT.redis,
      content: (traits) =>
        render(template, {
          files: pathsOf(files),
          uid: pin.uid,
          image: runnableImage(options.reference, options.archive),
          maxMemoryMegabytes: memoryLimits(spec, traits.memoryMegabytes).redisData,
          containerMemoryMegabytes: memoryLimits(spec, traits.memoryMegabytes).redis,
          hasSteppedRestart: hasSteppedRestart(traits),
        }),
      files,
      inputs: [options.archive?.imageId ?? ''],
    }),
  ]
}

/**
 * The role `data`: PostgreSQL before Redis; each unit is up once the server responds. Of one that somebody else runs there is nothing here; what
 * was here of it before goes at the end, in the role `settings`.
 */
export const data: Role = (spec, text) => {
  const { images } = parsePins(text('versions.yaml'))
  return [
    ...(isExternal(spec, 'database') ? [] : postgres(images, spec, text)),
    ...(isExternal(spec, 'redis') ? [] : redis(images, spec, text)),
  ]
}
