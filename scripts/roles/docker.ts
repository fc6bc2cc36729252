/** Docker Engine: from the vendor's signed repository or from the distribution, configured to publish no ports. */

import { HOST_PATH } from '../../contract/path.ts'
import { parsePins } from '../artifacts/pin.ts'
import { revisionOf } from '../core/revision.ts'
import { dockerConflicts, dockerPackages } from '../facts/distribution.ts'
import type { HostTraits } from '../facts/host-trait.ts'
import { absentFile } from '../resources/absent-file.ts'
import { aptPackage } from '../resources/apt-package.ts'
import { aptRepository } from '../resources/apt-repository.ts'
import { directory } from '../resources/directory.ts'
import { engineTrace, RECORD_ENGINE, STOP_ENGINE } from '../resources/engine-trace.ts'
import { exclusiveFile } from '../resources/exclusive-file.ts'
import { file } from '../resources/file.ts'
import { foreignContainers, foreignEngine } from '../resources/foreign-docker.ts'
import { unit } from '../resources/unit.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { proxyFor, proxyVariables } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'
import { needsContainers } from '../storage/storage-spec.ts'

/** While it is there, the engine is under our settings. */
const DROP_IN = '/etc/systemd/system/docker.service.d/tappass.conf'

const ROOT = { owner: 'root', group: 'root' } as const

/** What we set for an engine of our own, and what restarts it. */
function ownSettings(spec: HostSpec, text: (path: string) => string) {
  const settings = { path: '/etc/docker/daemon.json', content: text('templates/docker/daemon.json') }
  // Without a proxy the revision is what it was: no engine is restarted for a setting that is not there.
  const proxy = proxyVariables(spec.proxy).map((variable) => `Environment="${variable}"\n`)
  const revision = revisionOf([settings.content, ...proxy])
  const resources = [
    directory({ path: '/etc/docker', ...ROOT, mode: '0755' }),
    exclusiveFile({
      ...settings,
      ...ROOT,
      mode: '0644',
      ownMark: DROP_IN,
      user: 'docker.service',
      remedy: 'set docker.adopt: true in host.yaml: the engine goes on as it is, with its own settings',
    }),
    directory({ path: '/etc/systemd/system/docker.service.d', ...ROOT, mode: '0755' }),
    file({
      path: DROP_IN,
      content: text('units/docker.service.d/tappass.conf').replace('@REVISION@', revision) + proxy.join(''),
      ...ROOT,
      mode: '0644',
    }),
  ]
  return { resources, engine: unit({ name: 'docker.service', revision, files: [settings] }) }
}

/** An engine that somebody else has set up: neither its settings nor the running process are touched. */
function adopted() {
  const reason = 'docker.adopt is true: the engine has its own settings'
  return { resources: [absentFile({ path: DROP_IN, reason })], engine: unit({ name: 'docker.service' }) }
}

/** The role `docker`. The vendor's key is in this repository, and a test compares it with its pinned fingerprint: nothing is trusted on first use. */
export const docker: Role = (spec, text) => {
  if (!needsContainers(spec)) return []
  const { docker: pin } = parsePins(text('versions.yaml'))
  const { source, adopt } = spec.docker
  const uri = `${spec.downloads.docker ?? pin.download}/{distribution}`
  const repository = aptRepository({
    id: 'docker',
    uri,
    suite: '{codename}',
    components: ['stable'],
    key: text('templates/docker/docker.asc'),
    remedy:
      proxyFor(spec.proxy, uri) === undefined && spec.bundle === undefined
        ? 'downloads.docker: a mirror that it can reach, docker.source: distribution, or proxy.https'
        : undefined,
  })
  const packages = (traits: HostTraits) => dockerPackages(traits, source)
  // An adopted one is looked at until we are installed; without that word it is never ours to change.
  const settledBy = adopt ? [DROP_IN, HOST_PATH.currentRelease] : [DROP_IN]
  const { resources, engine } = adopt ? adopted() : ownSettings(spec, text)
  return [
    foreignEngine({
      packages,
      conflicts: dockerConflicts(source),
      settledBy,
      otherSource: source === 'vendor' ? 'distribution' : 'vendor',
    }),
    foreignContainers({ settledBy, isAdopted: adopt }),
    // Before the package, so that it applies to the first start of the engine.
    ...resources,
    ...(source === 'vendor' ? [repository] : []),
    engineTrace(),
    aptPackage({
      id: 'docker',
      names: packages,
      source: spec.bundle?.packages['docker'],
      waiting: text('scripts/first-boot.sh'),
      before: { install: RECORD_ENGINE, removal: STOP_ENGINE },
    }),
    engine,
  ]
}
