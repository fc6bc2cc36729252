/** The target hosts of a command: this machine, or those of `--host` and `--inventory`. */
import { resolve } from 'node:path'
import { commandHint } from '../command-line/command-hint.ts'
import { type Invocation, textOption, textOptions } from '../command-line/invocation.ts'
import { nearest } from '../command-line/suggestion.ts'
import {
  completeAddress,
  type HostAddress,
  parseTypedAddress,
  renderHostAddress,
  type TypedAddress,
} from '../connection/host-address.ts'
import { readSshSettings, type SshSettings } from '../connection/ssh-config.ts'
import { usageFailure } from '../core/failure.ts'
import type { SpecSource } from '../spec/spec-reader.ts'
import { createLineFinder, parseYaml, readNamedFile } from '../spec/yaml-text.ts'
import { type InventoryHost, parseInventory } from './inventory.ts'

/**
 * `name` is the address as it was typed. `address` is undefined for this machine. `ssh` is what ssh's configuration says of the host; `groups` are those of
 * the inventory.
 */
export type Target = SpecSource &
  Readonly<{
    name: string
    address: HostAddress | undefined
    ssh?: SshSettings
    groups?: readonly string[]
  }>

/** Whether a host is the one that `--limit` names: by the name that was typed or the one that ssh's configuration has for it; user and port may be left out. */
function isNamed({ name, user, port }: TypedAddress, { address, name: label }: Target): boolean {
  if (address === undefined) return false
  const typed = parseTypedAddress(label)
  return (
    (name === typed.name || name === address.name) &&
    (user === undefined || user === address.user) &&
    (port === undefined || port === address.port)
  )
}

/** Returns those that `--limit` names, by host or group; all without it. Throws a usage failure for a name that none of them has: a mistyped one must not be passed over. */
function limitTargets(invocation: Invocation, targets: readonly Target[]): readonly Target[] {
  const isOf = (text: string) => {
    const typed = parseTypedAddress(text)
    return (target: Target) => target.groups?.includes(text) === true || isNamed(typed, target)
  }
  const limits = textOptions(invocation, 'limit').map((text) => ({ text, isMember: isOf(text) }))
  const stranger = limits.find(({ isMember }) => !targets.some(isMember))
  if (stranger !== undefined) {
    const hosts = targets.flatMap(({ name, address }) => (address === undefined ? [] : [name]))
    const names = [...hosts, ...new Set(targets.flatMap(({ groups = [] }) => groups))]
    const near = nearest(stranger.text, names) ?? names[0]
    throw usageFailure(
      names.length === 0
        ? '"--limit" chooses from the hosts of --host and --inventory, and none is given'
        : `"--limit ${stranger.text}" names none of the hosts that are given, and no group of theirs`,
      near === undefined
        ? commandHint(invocation, invocation.verb.name, '--inventory', 'FILE')
        : commandHint(withoutLimit(invocation), invocation.verb.name, '--limit', near),
    )
  }
  return limits.length === 0 ? targets : targets.filter((target) => limits.some(({ isMember }) => isMember(target)))
}

function withoutLimit({ options: { limit: _, ...options } }: Invocation): Pick<Invocation, 'options'> {
  return { options }
}

/** Reads the hosts of an inventory, none without one. */
async function readInventory(path: string | undefined): Promise<readonly InventoryHost[]> {
  if (path === undefined) return []
  const text = await readNamedFile(path)
  return parseInventory(parseYaml(text, path), path, createLineFinder(text))
}

function sourceOf({ address, config, settings, secrets }: InventoryHost, where: string, usual: string | undefined) {
  const hasOwn = Object.keys(settings).length + Object.keys(secrets).length > 0
  const own = { where: `${where} of ${address.text}`, settings, secrets }
  return { config: config ?? usual, ...(hasOwn ? { own } : {}) }
}

/** Returns the hosts in the order in which they were given, each once: one that the inventory lists has what it says, also where `--host` names it. */
export async function readTargets(invocation: Invocation): Promise<readonly Target[]> {
  const absolute = (path: string | undefined) =>
    path === undefined ? undefined : resolve(invocation.workingFolder, path)
  const config = absolute(textOption(invocation, 'config'))
  const inventory = absolute(textOption(invocation, 'inventory'))
  const verb = [invocation.verb.name, ...(invocation.action === undefined ? [] : [invocation.action])].join(' ')
  const next = (address: string) => `tappass ${verb} --host ${address}`
  const targetOf = async (typed: TypedAddress, source: SpecSource, groups: readonly string[] = []): Promise<Target> => {
    const ssh = await readSshSettings(invocation, typed)
    const address = completeAddress(typed, ssh, next)
    const name = renderHostAddress({ ...address, name: typed.name })
    return {
      ...{ name, address, ...source },
      ...(ssh === undefined ? {} : { ssh }),
      ...(groups.length === 0 ? {} : { groups }),
    }
  }
  const named = textOptions(invocation, 'host').map((text) => targetOf(parseTypedAddress(text, next), { config }))
  const listed = (await readInventory(inventory)).map((host) =>
    targetOf(host.address, sourceOf(host, inventory ?? '', config), host.groups),
  )
  const all = await Promise.all([...named, ...listed])
  const unique = new Map(all.map((target) => [target.name, target]))
  return limitTargets(
    invocation,
    unique.size > 0 ? [...unique.values()] : [{ name: 'this host', address: undefined, config }],
  )
}
