/** A signed package repository: its key and its deb822 source. */
import { scriptCommand } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Fact } from '../core/host.ts'
import { quoteAll } from '../core/quoting.ts'
import type { Resource } from '../core/resource.ts'
import { type HostTraits, hostTraitsFact } from '../facts/host-trait.ts'
import { assertReachable } from '../facts/reachability.ts'
import { planFile, ROOT_FILE } from '../files/file-change.ts'
import { planFileAbsent } from '../files/removal.ts'

/**
 * `uri` and `suite` may contain `{distribution}` and `{codename}`. `key` is ASCII-armored text.
 * `remedy`, where no proxy is on the way to it: the settings that fetch its packages from elsewhere.
 * The key goes to /etc/apt/keyrings/ID.asc, the source to /etc/apt/sources.list.d/ID.sources.
 */
export type AptRepositoryOptions = Readonly<{
  id: string
  uri: string
  suite: string
  components: readonly string[]
  key: string
  remedy?: string | undefined
}>

function sourceText(options: AptRepositoryOptions, keyPath: string, traits: HostTraits): string {
  const fill = (text: string) =>
    text.replaceAll('{distribution}', traits.distribution).replaceAll('{codename}', traits.codename)
  return [
    'Types: deb',
    `URIs: ${fill(options.uri)}`,
    `Suites: ${fill(options.suite)}`,
    `Components: ${options.components.join(' ')}`,
    `Architectures: ${traits.debianArchitecture}`,
    `Signed-By: ${keyPath}`,
    '',
  ].join('\n')
}

/**
 * Other files of apt that name the repository: two sources with different keys make every call of apt on the host fail, ours and those
 * of others. Asked for without what differs between distributions, so that it needs no fact before.
 */
export function otherSourcesFact(uri: string, ownPath: string): Fact<readonly string[]> {
  const prefix = (uri.split('{')[0] ?? uri).replace(/^https?:/, '').replace(/\/+$/, '')
  const script =
    'grep -lsF -- "$1" /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; :'
  return {
    query: { argv: ['sh', '-c', script, 'sh', prefix], effect: 'read' },
    parse: ({ stdout }) => stdout.split('\n').filter((path) => path !== '' && path !== ownPath),
  }
}

function sourceConflict(others: readonly string[], ownPath: string) {
  return refusedFailure(
    `another source of apt names the repository of ${ownPath}`,
    `${others.join(', ')}: with two, apt refuses all sources of this host`,
    `${quoteAll(['rm', ...others])}   (on the host; its packages stay, and ${ownPath} takes its place), or docker.source: distribution in host.yaml`,
  )
}

/** How the names of apt's lists begin: the address without its scheme, its slashes as underscores. */
function listPrefix(uri: string): string {
  return (uri.split('{')[0] ?? uri)
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '')
    .replaceAll('/', '_')
}

/** The key and the source file. Throws a `Failure` (exit 5) where another file names the same repository. */
export function aptRepository(options: AptRepositoryOptions): Resource {
  const keyPath = `/etc/apt/keyrings/${options.id}.asc`
  const sourcePath = `/etc/apt/sources.list.d/${options.id}.sources`
  return {
    id: `apt-repository:${options.id}`,
    fetches: async (getFact) => {
      const source = sourceText(options, '', await getFact(hostTraitsFact)).replace(/^Signed-By:.*\n/m, '')
      return [{ kind: 'repository', id: options.id, source, key: options.key }]
    },
    files: async (getFact) => [
      { path: keyPath, content: options.key },
      { path: sourcePath, content: sourceText(options, keyPath, await getFact(hostTraitsFact)) },
    ],
    absent: async (getFact) => {
      const removals = await Promise.all([sourcePath, keyPath].map((path) => planFileAbsent(getFact, path)))
      // apt keeps what it fetched from there until its next update.
      const lists = scriptCommand('rm -f -- /var/lib/apt/lists/"$1"_*', [listPrefix(options.uri)])
      return removals.flat().map((change) => ({ ...change, commands: [...change.commands, lists] as const }))
    },
    plan: async (getFact) => {
      const text = getFact(hostTraitsFact).then((traits) => sourceText(options, keyPath, traits))
      const [others, key, source] = await Promise.all([
        getFact(otherSourcesFact(options.uri, sourcePath)),
        planFile(getFact, { path: keyPath, ...ROOT_FILE }, options.key),
        planFile(getFact, { path: sourcePath, ...ROOT_FILE }, text),
      ])
      if (others.length > 0) throw sourceConflict(others, sourcePath)
      const changes = [...key, ...source]
      if (changes.length > 0 && options.remedy !== undefined)
        await assertReachable(getFact, options.uri, options.remedy)
      return changes
    },
  }
}
