/** A signed package repository: its key, checked against a fingerprint, and its deb822 source. */

import { primaryFingerprints } from '../artifacts/openpgp.ts'
import type { Resource } from '../core/resource.ts'
import { type HostTraits, hostTraitsFact } from '../facts/host-trait.ts'
import { planFile } from '../files/file-change.ts'

/**
 * `uri` and `suite` may hold `{distribution}` and `{codename}`. `key` is ASCII-armoured text; `fingerprint` 40 hex digits.
 * The key goes to /etc/apt/keyrings/ID.asc, the source to /etc/apt/sources.list.d/ID.sources.
 */
export type AptRepositoryOptions = Readonly<{
  id: string
  uri: string
  suite: string
  components: readonly string[]
  key: string
  fingerprint: string
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

/** Throws at once, before any host is touched, when the key's fingerprint is another, or it holds more keys than that one. */
export function aptRepository(options: AptRepositoryOptions): Resource {
  const found = primaryFingerprints(options.key)
  if (found.length !== 1 || found[0] !== options.fingerprint) {
    throw new Error(`the key of ${options.id} has the fingerprint ${found.join(' and ')}, not ${options.fingerprint}`)
  }
  const keyPath = `/etc/apt/keyrings/${options.id}.asc`
  const sourcePath = `/etc/apt/sources.list.d/${options.id}.sources`
  return {
    id: `apt-repository:${options.id}`,
    plan: async (know) => {
      const text = know(hostTraitsFact).then((traits) => sourceText(options, keyPath, traits))
      const [key, source] = await Promise.all([
        planFile(know, { path: keyPath, ...ROOT_FILE }, options.key),
        planFile(know, { path: sourcePath, ...ROOT_FILE }, text),
      ])
      return [...key, ...source]
    },
  }
}
