/**
 * Distribution packages for a platform, with all that they depend on: fetched by apt on this machine in a root of its own, whose database of packages is empty. apt
 * checks the signatures of the sources and the digests, and goes on with what was cut off.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import type { Fetched } from '../core/resource.ts'
import type { BundlePlatform } from './platform.ts'
import { type Downloader, runTool } from './tool.ts'

/** What is installed together, by the id of the resource that does. */
export type PackageGroup = Extract<Fetched, Readonly<{ kind: 'packages' }>>
/** A source of packages beside those of the distribution. */
export type PackageRepository = Extract<Fetched, Readonly<{ kind: 'repository' }>>

/** A package in the folder, and what apt says that it has to be. */
export type PackageFile = Readonly<{ name: string; path: string }>

const NEED = 'a bundle is made on Debian or Ubuntu: apt fetches its packages'

/** Of this machine, where it is of the same distribution and release. */
async function ownSources(platform: BundlePlatform): Promise<readonly [list: string, parts: string]> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const value = (key: string) => new RegExp(`^${key}=["']?([^"'\n]*)`, 'm').exec(release)?.[1]
  const { distribution, codename, versionId } = platform.traits
  if (value('ID') === distribution && value('VERSION_CODENAME') === codename)
    return ['/etc/apt/sources.list', '/etc/apt/sources.list.d']
  const why = `this machine is ${value('ID')} ${value('VERSION_ID')}, not ${distribution} ${versionId}: its own sources have other packages`
  const next = 'add --apt-sources FILE: the /etc/apt/sources.list or …/debian.sources of such a host'
  throw new Failure({ what: `no sources of packages for ${platform.name}`, why, next }, EXIT_CODE.usage)
}

type Root = Readonly<{ folder: string; environment: Readonly<Record<string, string>> }>

/** The keys are those of this machine, or those that a source names. */
function configText(folder: string, platform: BundlePlatform, [list, parts]: readonly [string, string], ways: string) {
  const { debianArchitecture } = platform.traits
  return `${ways}
Dir "${folder}/"; Dir::State "${folder}/state"; Dir::State::status "${folder}/status"; Dir::Cache "${folder}/cache";
Dir::Etc "${folder}/etc"; Dir::Etc::sourcelist "${list}"; Dir::Etc::sourceparts "${parts}"; Dir::Etc::parts "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::trusted "/etc/apt/trusted.gpg"; Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";
APT::Architecture "${debianArchitecture}"; APT::Architectures { "${debianArchitecture}"; };
APT::Install-Recommends "false"; APT::Sandbox::User "root"; Acquire::Languages "none"; Acquire::Retries "3"; Binary::apt-get::APT::Keep-Downloaded-Packages "true";
`
}

/** A file of sources keeps its form: deb822 has keys, the older one begins each line with `deb`. */
async function layGivenSources(folder: string, given: string): Promise<readonly [string, string]> {
  const text = await readFile(given, 'utf8').catch((error: Error) => {
    throw new Failure(
      { what: `cannot read ${given}`, why: error.message, next: 'name another file with --apt-sources' },
      EXIT_CODE.usage,
    )
  })
  const parts = join(folder, 'etc/given')
  await rm(parts, { recursive: true, force: true })
  await mkdir(parts, { recursive: true })
  await writeFile(join(parts, /^Types:/m.test(text) ? 'given.sources' : 'given.list'), text)
  return ['/dev/null', parts]
}

/** apt has one folder of sources only: where the platform's own are not in it, they are the list. */
async function addRepositories(folder: string, repositories: readonly PackageRepository[]): Promise<void> {
  for (const { id, source, key } of repositories) {
    const signed = join(folder, `etc/${id}.asc`)
    await writeFile(signed, key)
    await writeFile(join(folder, `etc/parts/${id}.sources`), `${source}Signed-By: ${signed}\n`)
  }
}

async function prepareRoot(
  downloader: Downloader,
  platform: BundlePlatform,
  given: string | undefined,
  repositories: readonly PackageRepository[],
): Promise<Root> {
  const folder = join(downloader.cache, 'apt', platform.name)
  await rm(join(folder, 'etc'), { recursive: true, force: true })
  for (const name of ['etc/parts', 'state/lists/partial', 'cache/archives/partial'])
    await mkdir(join(folder, name), { recursive: true })
  await writeFile(join(folder, 'status'), '')
  const [list, parts] = given === undefined ? await ownSources(platform) : await layGivenSources(folder, given)
  const own = join(folder, 'etc/parts')
  await runTool(
    downloader,
    ['sh', '-euc', 'cp -R -- "$1"/. "$2"; [ ! -f "$3" ] || cp -- "$3" "$2/own.list"', 'sh', parts, own, list],
    NEED,
  )
  await addRepositories(folder, repositories)
  const ways = await runTool(downloader, ['apt-config', 'dump', 'Acquire::http', 'Acquire::https'], NEED)
  const config = join(folder, 'apt.conf')
  await writeFile(config, configText(folder, platform, ['/dev/null', own], ways))
  return { folder, environment: { APT_CONFIG: config, LC_ALL: 'C' } }
}

const INSTALL = ['install', '--yes', '--no-install-recommends'] as const

/** What apt would fetch for these packages: `'URI' FILE SIZE DIGEST`, a line each. */
function filesIn(printed: string): readonly string[] {
  return printed.split('\n').flatMap((line) => /^'[^']+' (\S+\.deb) /.exec(line)?.[1] ?? [])
}

/** Fetches all packages of the groups. Returns the files of each, by its id. */
export async function downloadPackages(
  downloader: Downloader,
  platform: BundlePlatform,
  groups: readonly PackageGroup[],
  { given, repositories }: Readonly<{ given: string | undefined; repositories: readonly PackageRepository[] }>,
): Promise<ReadonlyMap<string, readonly PackageFile[]>> {
  const { folder, environment } = await prepareRoot(downloader, platform, given, repositories)
  const apt = (...words: readonly string[]) => runTool(downloader, ['apt-get', '-q', ...words], NEED, { environment })
  downloader.report(`fetching the lists of packages for ${platform.name}`)
  // Without it a source that does not answer is left out, and older lists are taken.
  await apt('update', '-o', 'APT::Update::Error-Mode=any')
  const empty = join(folder, 'cache/none')
  await mkdir(join(empty, 'partial'), { recursive: true })
  const found = new Map<string, readonly PackageFile[]>()
  for (const { id, names } of groups) {
    const printed = await apt('--print-uris', '-o', `Dir::Cache::archives=${empty}`, ...INSTALL, '--', ...names)
    const files = filesIn(printed)
    downloader.report(`fetching ${files.length} packages for ${names.join(' ')}`)
    await apt('--download-only', ...INSTALL, '--', ...names)
    found.set(
      id,
      files.map((name) => ({ name, path: join(folder, 'cache/archives', name) })),
    )
  }
  return found
}
