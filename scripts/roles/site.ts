/** The documentation as a site: MkDocs in an environment of its own, the pages, and the build that the ingress serves under /docs. */
import { HOST_PATH } from '../../contract/path.ts'
import { sha256Of } from '../core/sha256.ts'
import { absentFolder } from '../resources/absent-folder.ts'
import { aptPackage } from '../resources/apt-package.ts'
import { builtSite } from '../resources/built-site.ts'
import { directory } from '../resources/directory.ts'
import { currentRelease, release } from '../resources/release.ts'
import { surplusVersion } from '../resources/surplus-version.ts'
import { virtualEnvironment } from '../resources/virtual-environment.ts'
import { proxyVariables } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'

const ROOT = { owner: 'root', group: 'root', mode: '0755' } as const
const FOLDERS = [HOST_PATH.sitePagesFolder, HOST_PATH.mkdocsFolder, HOST_PATH.siteFolder] as const

/** Of the build: some 150 MB, and as much again for larger pages. */
const BUILD_MEGABYTES = 384

/** The role `site`. It comes after everything that serves: a page that MkDocs refuses fails the run, and holds nothing else up. */
export const site: Role = ({ site: options, proxy, bundle }, text) => {
  if (options === 'none')
    return FOLDERS.map((path) => absentFolder({ path, reason: 'the settings want no site: site or ingress is none' }))
  const { pages, wheels } = options
  const pack = { root: HOST_PATH.sitePagesFolder, pack: pages, noun: 'site' }
  const requirementsVersion = sha256Of(pages.requirements).slice(0, 12)
  const environment = `${HOST_PATH.mkdocsFolder}/${requirementsVersion}`
  return [
    aptPackage({
      id: 'site',
      names: ['python3-venv'],
      source: bundle?.packages['site'],
      waiting: text('scripts/first-boot.sh'),
    }),
    ...FOLDERS.map((path) => directory({ path, ...ROOT })),
    release(pack),
    virtualEnvironment({
      path: environment,
      requirements: pages.requirements,
      wheels,
      proxy: proxyVariables(proxy),
      remedy: 'site.wheels: a file with the wheels, proxy.https, or site: none',
    }),
    builtSite({
      folder: HOST_PATH.siteFolder,
      version: pages.version,
      pages: `${HOST_PATH.sitePagesFolder}/releases/${pages.version}`,
      environment,
      memoryMegabytes: BUILD_MEGABYTES,
    }),
    currentRelease(pack),
    surplusVersion({ folder: HOST_PATH.mkdocsFolder, version: requirementsVersion }),
  ]
}
