/** Docker Engine: from the vendor's signed repository or from the distribution, configured to publish no ports. */

import { HOST_PATH } from '../../contract/path.ts'
import { parsePins } from '../artifacts/pin.ts'
import { revisionOf } from '../core/revision.ts'
import { dockerPackages } from '../facts/distribution.ts'
import { aptPackage } from '../resources/apt-package.ts'
import { aptRepository } from '../resources/apt-repository.ts'
import { directory } from '../resources/directory.ts'
import { exclusiveFile } from '../resources/exclusive-file.ts'
import { file } from '../resources/file.ts'
import { unit } from '../resources/unit.ts'
import { proxyVariables } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'

const ROOT = { owner: 'root', group: 'root' } as const

/** The role `docker`. The vendor's key is in this repository, and a test compares it with its pinned fingerprint: nothing is trusted on first use. */
export const docker: Role = (spec, text) => {
  const { docker: pin } = parsePins(text('versions.yaml'))
  const { source } = spec.docker
  const settings = { path: '/etc/docker/daemon.json', content: text('templates/docker/daemon.json') }
  const repository = aptRepository({
    id: 'docker',
    uri: `${spec.downloads.docker ?? pin.download}/{distribution}`,
    suite: '{codename}',
    components: ['stable'],
    key: text('templates/docker/docker.asc'),
  })
  // Without a proxy the revision is what it was: no engine is restarted for a setting that is not there.
  const proxy = proxyVariables(spec.proxy).map((variable) => `Environment="${variable}"\n`)
  const revision = revisionOf([settings.content, ...proxy])
  return [
    // Before the package, so that it applies to the first start of the engine.
    directory({ path: '/etc/docker', ...ROOT, mode: '0755' }),
    exclusiveFile({
      ...settings,
      ...ROOT,
      mode: '0644',
      installedLink: HOST_PATH.currentRelease,
      isAdopted: spec.docker.adopt,
      adoption: 'set docker.adopt: true in host.yaml',
    }),
    directory({ path: '/etc/systemd/system/docker.service.d', ...ROOT, mode: '0755' }),
    file({
      path: '/etc/systemd/system/docker.service.d/tappass.conf',
      content: text('units/docker.service.d/tappass.conf').replace('@REVISION@', revision) + proxy.join(''),
      ...ROOT,
      mode: '0644',
    }),
    ...(source === 'vendor' ? [repository] : []),
    aptPackage({
      id: 'docker',
      names: (traits) => dockerPackages(traits, source),
      waiting: text('scripts/first-boot.sh'),
    }),
    unit({ name: 'docker.service', revision, files: [settings] }),
  ]
}
