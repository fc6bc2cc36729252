/**
 * What the lab reads of the project's `versions.yaml`: plain nested maps, and lists of maps. The lab is prepared on
 * machines where no dependency is installed yet, so it has no YAML library; a test compares this with one.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

type Checksums = Readonly<Record<string, string>>

/** The parts of versions.yaml that say which programs and images a host runs. */
export type Pins = Readonly<{
  node: readonly Readonly<{ version: string; packages: Checksums; archives: Checksums }>[]
  images: Readonly<Record<string, Readonly<{ reference: string; uid: string }>>>
  caddy: Readonly<{ version: string; archives: Checksums }>
  cloudflared: Readonly<{ version: string; archives: Checksums }>
  docker: Readonly<{ fingerprint: string }>
  opa: Readonly<{ version: string }>
  spire: Readonly<{ version: string; archives: Checksums }>
  'spiffe-helper': Readonly<{ version: string; archives: Checksums }>
}>

type Entry = { readonly indent: number; readonly holder: Record<string, unknown>; readonly key: string }

/** Reads a map of maps, lists of maps and scalars (kept as text). Takes YAML of that simple kind. */
export function readSimpleYaml(text: string): Record<string, unknown> {
  const top: Record<string, unknown> = {}
  const stack: Entry[] = []
  for (const raw of text.split('\n')) {
    const [, space = '', dash = '', key, value = ''] =
      /^( *)(- )?([\w.-]+):(?: +(.*))?$/.exec(raw.replace(/(^| )#.*/, '').trimEnd()) ?? []
    if (key === undefined) continue
    const indent = space.length + dash.length
    while ((stack.at(-1)?.indent ?? -1) >= (dash ? space.length : indent)) stack.pop()
    const parent = stack.at(-1)
    let holder = top
    if (parent !== undefined) {
      const isList = dash !== '' || Array.isArray(parent.holder[parent.key])
      parent.holder[parent.key] ??= isList ? [] : {}
      const inside = parent.holder[parent.key]
      if (dash !== '' && Array.isArray(inside)) inside.push({})
      holder = (Array.isArray(inside) ? inside.at(-1) : inside) as Record<string, unknown>
    }
    const scalar = value.trim().replace(/^(['"])(.*)\1$/, '$2')
    if (scalar !== '') holder[key] = scalar
    else stack.push({ indent, holder, key })
  }
  return top
}

/** Gives the pins of this project, or of another clone. */
export async function readPins(root = join(import.meta.dirname, '../..')): Promise<Pins> {
  const text = await readFile(join(root, 'versions.yaml'), 'utf8')
  return readSimpleYaml(text) as unknown as Pins
}
