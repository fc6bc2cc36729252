/** A signed package repository: its key and its deb822 source. */
import type { Resource } from '../core/resource.ts'
import { type HostTraits, hostTraitsFact } from '../facts/host-trait.ts'
import { planFile } from '../files/file-change.ts'

/**
 * `uri` and `suite` may contain `{distribution}` and `{codename}`. `key` is ASCII-armored text.
 * The key goes to /etc/apt/keyrings/ID.asc, the source to /etc/apt/sources.list.d/ID.sources.
 */
export type AptRepositoryOptions = Readonly<{
  id: string
  uri: string
  suite: string
  components: readonly string[]
  key: string
}>

const ROOT_FILE = { owner: 'root', group: 'root', mode: '0644' } as const

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

/** The key and the source file. */
export function aptRepository(options: AptRepositoryOptions): Resource {
  const keyPath = `/etc/apt/keyrings/${options.id}.asc`
  const sourcePath = `/etc/apt/sources.list.d/${options.id}.sources`
  return {
    id: `apt-repository:${options.id}`,
    plan: async (getFact) => {
      const text = getFact(hostTraitsFact).then((traits) => sourceText(options, keyPath, traits))
      const [key, source] = await Promise.all([
        planFile(getFact, { path: keyPath, ...ROOT_FILE }, options.key),
        planFile(getFact, { path: sourcePath, ...ROOT_FILE }, text),
      ])
      return [...key, ...source]
    },
  }
}
