/**
 * The current settings and versions, written to the host for people and for later runs. They contain no secret. Of the settings only what
 * somebody wrote is recorded: a default belongs to the release. So a later release's better default reaches the host, and an earlier one is
 * not confronted with keys that it does not know. What nothing needs any more by then goes away.
 */

import { HOST_PATH } from '../../contract/path.ts'
import { STORAGE_CREDENTIAL_IDS } from '../../contract/storage.ts'
import { UNIT } from '../../contract/unit.ts'
import { runnableImage } from '../artifacts/image-reference.ts'
import { parsePins } from '../artifacts/pin.ts'
import { inputsText } from '../artifacts/sent-file.ts'
import type { Resource } from '../core/resource.ts'
import { absentFolder } from '../resources/absent-folder.ts'
import { absentUnit } from '../resources/absent-unit.ts'
import { file } from '../resources/file.ts'
import { surplusImage } from '../resources/surplus-image.ts'
import { surplusOpa } from '../resources/surplus-opa.ts'
import { surplusSecret } from '../resources/surplus-secret.ts'
import { surplusVersion } from '../resources/surplus-version.ts'
import { versionLock } from '../resources/version-lock.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { isPrepared } from '../spec/ingress-spec.ts'
import { hasOpa, opaServerOf } from '../spec/policy-spec.ts'
import type { Role } from '../spec/role.ts'
import { settingsText } from '../spec/settings-text.ts'
import { isExternal, needsContainers, partOf } from '../storage/storage-spec.ts'

const NOTICE =
  '# Written by the toolkit after each run that changed something; edits have no effect and are reverted, but for digests: what was first accepted\n# under a name is the only thing that is. Where another one is meant, remove its row and run bootstrap again.\n'

type Image = HostSpec['images'][keyof HostSpec['images']]

/** What the units of PostgreSQL and Redis run, where they are ours. */
function imagesInUse(
  { images, storage }: HostSpec,
  pinned: Readonly<Record<keyof HostSpec['images'], { reference: string }>>,
) {
  const nameOf = (service: keyof HostSpec['images']) => {
    const { archive, reference = pinned[service].reference } = images[service]
    return runnableImage(reference, archive)
  }
  return {
    postgres: isExternal({ storage }, 'database') ? undefined : nameOf('postgres'),
    redis: isExternal({ storage }, 'redis') ? undefined : nameOf('redis'),
  }
}

function installedImage({ archive, reference }: Image, pinned: string): string {
  return archive?.imageId ?? reference ?? pinned
}

const CONTAINERS = [
  { part: 'database', name: UNIT.postgres, folder: HOST_PATH.postgresConfigFolder, kept: HOST_PATH.postgresFolder },
  { part: 'redis', name: UNIT.redis, folder: HOST_PATH.redisConfigFolder, kept: undefined },
] as const

/** What is left of storage of the other kind, once nobody uses it any more. Data are nobody's to remove. */
function surplusStorage(spec: HostSpec): readonly Resource[] {
  const containers = CONTAINERS.filter(({ part }) => isExternal(spec, part)).flatMap(({ part, name, folder, kept }) => {
    const reason = `storage.${part} is external${kept === undefined ? '' : `; its data stay in ${kept}`}`
    return [absentUnit({ name, reason }), absentFolder({ path: folder, reason })]
  })
  const ids = STORAGE_CREDENTIAL_IDS.filter((id) => !isExternal(spec, partOf(id)))
  return [
    ...containers,
    ...(ids.length === 0 ? [] : [surplusSecret({ name: 'storage', ids, reason: 'storage is in containers' })]),
  ]
}

/** The role `settings`. It comes last, so that it records what was reached, not what was attempted. */
export const settings: Role = (spec, text, earlier = []) => {
  const { node, caddy, cloudflared, opa, images, spire, 'spiffe-helper': helper } = parsePins(text('versions.yaml'))
  const versions = {
    release: spec.release.version,
    node: node[0]?.version,
    ...(isPrepared(spec.ingress, 'caddy') ? { caddy: caddy.version } : {}),
    ...(isPrepared(spec.ingress, 'tunnel') ? { cloudflared: cloudflared.version } : {}),
    ...(hasOpa(spec) ? { opa: opa.version } : {}),
    ...(spec.identity === undefined ? {} : { spire: spire.version, spiffeHelper: helper.version }),
    ...(needsContainers(spec) ? { docker: spec.docker.source } : {}),
    images: {
      ...(isExternal(spec, 'database')
        ? {}
        : { postgres: installedImage(spec.images.postgres, images.postgres.reference) }),
      ...(isExternal(spec, 'redis') ? {} : { redis: installedImage(spec.images.redis, images.redis.reference) }),
    },
  }
  const brought = { record: HOST_PATH.imageRecord, images: imagesInUse(spec, images) }
  const ownership = { owner: 'root', group: 'root', mode: '0644' } as const
  return [
    surplusOpa({ key: opaServerOf(spec, text)?.key }),
    ...[
      { folder: HOST_PATH.nodeFolder, version: node[0]?.version },
      { folder: HOST_PATH.caddyFolder, version: caddy.version },
      { folder: HOST_PATH.opaFolder, version: opa.version },
      { folder: HOST_PATH.cloudflaredFolder, version: cloudflared.version },
      ...(spec.identity === undefined
        ? []
        : [
            { folder: HOST_PATH.spireFolder, version: spire.version },
            { folder: HOST_PATH.spiffeHelperFolder, version: helper.version },
          ]),
    ].flatMap(({ folder, version }) => (version === undefined ? [] : [surplusVersion({ folder, version })])),
    ...surplusStorage(spec),
    // An engine of somebody else holds images of somebody else, some of them perhaps the same.
    ...(spec.docker.adopt ? [] : [surplusImage({ ...ownership, ...brought })]),
    file({ path: HOST_PATH.inputs, content: inputsText(spec), ...ownership }),
    file({ path: HOST_PATH.settings, content: settingsText(spec), ...ownership }),
    versionLock({ notice: NOTICE, versions, resources: earlier }),
  ]
}
