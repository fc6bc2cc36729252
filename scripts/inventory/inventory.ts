/** A YAML list of hosts (`--inventory`), each with its address, its groups, and what it has of its own: specification, settings, secrets. */
import { dirname, resolve } from 'node:path'
import * as v from 'valibot'
import { SECRET_IDS } from '../artifacts/artifact-measurement.ts'
import { nearest } from '../command-line/suggestion.ts'
import { parseTypedAddress, type TypedAddress } from '../connection/host-address.ts'
import { Failure } from '../core/failure.ts'
import { settingsProblems } from '../spec/host-spec.ts'
import { isMapping, type Mapping, mergeSettings } from '../spec/settings.ts'
import { explainIssue, placeOf } from '../spec/spec-issue.ts'
import type { LineFinder } from '../spec/yaml-text.ts'

const path = v.pipe(v.string(), v.minLength(1, 'expected the path of a file'))

const layer = {
  config: v.optional(path),
  settings: v.optional(v.custom<Mapping>(isMapping, 'expected settings such as { instances: 3 }'), {}),
  // valibot accepts a list as a record with numbers as keys: those are no secrets.
  secrets: v.optional(v.record(v.string(), path), {}),
}

const groupName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'the name of a group has letters, digits, - and _ only'),
)

const schema = v.strictObject({
  groups: v.optional(v.record(groupName, v.strictObject(layer)), {}),
  hosts: v.pipe(
    v.array(v.strictObject({ address: v.string(), groups: v.optional(v.array(groupName), []), ...layer })),
    v.minLength(1, 'the list is empty'),
  ),
})

type Parsed = v.InferOutput<typeof schema>
type Layer = Readonly<Pick<Parsed['hosts'][number], 'config' | 'settings' | 'secrets'>>

/** One host, with what its groups say and, over that, what it says itself. All paths are absolute. */
export type InventoryHost = Readonly<{
  address: TypedAddress
  groups: readonly string[]
  config: string | undefined
  settings: Mapping
  secrets: Readonly<Record<string, string>>
}>

/** The settings that name a file of this machine, by their keys. */
const FILE_SETTINGS: readonly (readonly [string, ...string[]])[] = [
  ...['node', 'caddy', 'cloudflared', 'spire', 'spiffeHelper'].map((program) => [program, 'archive'] as const),
  ...['postgres', 'redis'].map((image) => ['images', image, 'archive'] as const),
  ['opa', 'program'],
  ['site', 'wheels'],
]

function withAbsolute(settings: Mapping, [key, ...below]: readonly string[], folder: string): Mapping {
  const value = key === undefined ? undefined : settings[key]
  if (key === undefined || value === undefined) return settings
  if (typeof value === 'string' && below.length === 0) return { ...settings, [key]: resolve(folder, value) }
  return isMapping(value) && below.length > 0 ? { ...settings, [key]: withAbsolute(value, below, folder) } : settings
}

/** Returns the settings with the paths of this machine in them as absolute ones; they were relative to `folder`. */
export function absoluteSettings(settings: Mapping, folder: string): Mapping {
  return FILE_SETTINGS.reduce((merged, keys) => withAbsolute(merged, keys, folder), settings)
}

/** Puts the layers over each other, the last one on top: its file instead of theirs, its settings and secrets over theirs. */
function mergeLayers(layers: readonly Layer[], folder: string) {
  const secrets = layers.flatMap((each) => Object.entries(each.secrets))
  const config = layers.findLast((each) => each.config !== undefined)?.config
  const settings = layers.reduce<Mapping>((below, each) => mergeSettings(below, each.settings) as Mapping, {})
  return {
    config: config === undefined ? undefined : resolve(folder, config),
    settings: absoluteSettings(settings, folder),
    secrets: Object.fromEntries(secrets.map(([id, file]) => [id, resolve(folder, file)])),
  }
}

function suggest(word: string, words: readonly string[]): string {
  const suggestion = nearest(word, words)
  return suggestion === undefined ? '' : `; did you mean "${suggestion}"?`
}

type Keys = readonly (string | number)[]

function layerProblems({ settings, secrets }: Layer, keys: Keys, lineOf: LineFinder): readonly string[] {
  const below = [...keys, 'settings']
  // A line is found by the whole path; the key is told from the host or group on.
  const inSettings = settingsProblems(settings, (path) => lineOf([...below, ...path]))
  const unknown = Object.keys(secrets).filter((id) => !SECRET_IDS.includes(id))
  return [
    ...inSettings.map((problem) => `${below.join('.')}: ${problem}`),
    ...unknown.map(
      (id) => `${placeOf([...keys, 'secrets', id], lineOf)}there is no such secret${suggest(id, SECRET_IDS)}`,
    ),
  ]
}

function problemsOf({ groups, hosts }: Parsed, lineOf: LineFinder): readonly string[] {
  const names = Object.keys(groups)
  const strangers = hosts.flatMap((host, index) =>
    host.groups
      .filter((name) => !names.includes(name))
      .map(
        (name) => `${placeOf(['hosts', index, 'groups'], lineOf)}there is no group "${name}"${suggest(name, names)}`,
      ),
  )
  return [
    ...strangers,
    ...Object.entries(groups).flatMap(([name, group]) => layerProblems(group, ['groups', name], lineOf)),
    ...hosts.flatMap((host, index) => layerProblems(host, ['hosts', index], lineOf)),
  ]
}

/** Throws a usage failure for a host that is listed twice, and for a group with the name of a host: `--limit` could not tell them apart. */
function assertNames(hosts: readonly InventoryHost[], groups: readonly string[], where: string): void {
  const texts = hosts.map(({ address }) => address.text)
  const duplicate = texts.find((text, index) => texts.indexOf(text) !== index)
  if (duplicate !== undefined)
    throw new Failure(
      { what: `${where} lists ${duplicate} twice`, next: `remove one of the entries from ${where}` },
      64,
    )
  const both = groups.find((group) => hosts.some(({ address }) => address.name === group))
  if (both !== undefined)
    throw new Failure(
      { what: `${where} has a group and a host of the name ${both}`, next: `give the group another name in ${where}` },
      64,
    )
}

/**
 * Validates parsed YAML. `where` is the path of the file. Throws a usage failure that lists every problem: another structure, an unknown key, setting,
 * secret or group, an invalid address, a duplicate host.
 */
export function parseInventory(
  parsed: unknown,
  where: string,
  lineOf: LineFinder = () => undefined,
): readonly InventoryHost[] {
  const example = 'hosts: [{ address: root@server }]'
  const result = v.safeParse(schema, parsed)
  const problems = result.success
    ? problemsOf(result.output, lineOf)
    : result.issues.map((issue) => explainIssue(schema, issue, lineOf, example))
  if (!result.success || problems.length > 0) {
    const next = `fix ${where}; the least that one has is ${example}`
    throw new Failure({ what: `${where} is not a valid inventory`, why: problems.join('\n         '), next }, 64)
  }
  const { groups } = result.output
  const hosts = result.output.hosts.map((host) => {
    const layers = [...host.groups.flatMap((name) => groups[name] ?? []), host]
    const address = parseTypedAddress(host.address, (shown) => `write to ${where}: address: ${shown}`)
    return { address, groups: host.groups, ...mergeLayers(layers, dirname(where)) }
  })
  assertNames(hosts, Object.keys(groups), where)
  return hosts
}
