/** PostgreSQL and Redis: containers without network, reached over UNIX sockets, supervised by systemd. */

import { runnableImage } from '../artifacts/image-reference.ts'
import { parsePins } from '../artifacts/pin.ts'
import { render } from '../core/template.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import { image } from '../resources/image.ts'
import { unit } from '../resources/unit.ts'
import { credentialLine, credentialPaths } from '../secrets/credential.ts'
import type { Role } from '../spec/role.ts'

const ROOT = { owner: 'root', group: 'root' } as const
const POSTGRES_TEXTS = ['postgresql.conf', 'pg_hba.conf', 'pg_ident.conf', 'start.sh', 'role.sql'] as const

function pathsOf(files: readonly Readonly<{ path: string }>[]): string {
  return files.map(({ path }) => path).join(' ')
}

type DataService = (pins: ReturnType<typeof parsePins>['images'], ...rest: Parameters<Role>) => ReturnType<Role>

const postgres: DataService = ({ postgres: pin }, spec, text) => {
  const { archive } = spec.images.postgres
  const files = POSTGRES_TEXTS.map((name) => ({
    path: `/etc/tappass/postgres/${name}`,
    content: text(`templates/postgres/${name}`),
  }))
  const template = text('units/tappass-postgres.service.hbs')
  return [
    image({ reference: pin.reference, ...(archive && { archive }) }),
    directory({ path: '/etc/tappass/postgres', ...ROOT, mode: '0755' }),
    ...files.map((each) => file({ ...each, ...ROOT, mode: '0644' })),
    directory({ path: '/var/lib/tappass/postgres', owner: pin.uid, group: pin.uid, mode: '0700' }),
    directory({ path: '/run/tappass/postgres', owner: pin.uid, group: 'tappass', mode: '0750' }),
    unit({
      name: 'tappass-postgres.service',
      content: (traits) =>
        render(template, {
          ...spec.postgres,
          files: pathsOf(files),
          uid: pin.uid,
          image: runnableImage(pin.reference, archive),
          credentials: [credentialLine(traits, 'postgres-password')],
          hasSteppedRestart: hasSteppedRestart(traits),
        }),
      files,
      inputs: [archive?.imageId ?? ''],
      inputPaths: credentialPaths('postgres-password'),
    }),
  ]
}

const redis: DataService = ({ redis: pin }, spec, text) => {
  const { archive } = spec.images.redis
  const { maxMemoryMegabytes } = spec.redis
  const files = [{ path: '/etc/tappass/redis/redis.conf', content: text('templates/redis/redis.conf') }]
  const template = text('units/tappass-redis.service.hbs')
  return [
    image({ reference: pin.reference, ...(archive && { archive }) }),
    directory({ path: '/etc/tappass/redis', ...ROOT, mode: '0755' }),
    ...files.map((each) => file({ ...each, ...ROOT, mode: '0644' })),
    directory({ path: '/run/tappass/redis', owner: pin.uid, group: 'tappass', mode: '0750' }),
    unit({
      name: 'tappass-redis.service',
      content: (traits) =>
        render(template, {
          files: pathsOf(files),
          uid: pin.uid,
          image: runnableImage(pin.reference, archive),
          maxMemoryMegabytes,
          containerMemoryMegabytes: maxMemoryMegabytes * 2,
          hasSteppedRestart: hasSteppedRestart(traits),
        }),
      files,
      inputs: [archive?.imageId ?? ''],
    }),
  ]
}

/** The role `data`: PostgreSQL before Redis; each unit is up once the server responds. */
export const data: Role = (spec, text) => {
  const { images } = parsePins(text('versions.yaml'))
  return [...postgres(images, spec, text), ...redis(images, spec, text)]
}
