/** The target hosts of a command: this machine, or those of `--host` and `--inventory`. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
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
import { Failure, usageFailure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import { parseInventory } from './inventory.ts'
import { parseYaml } from './yaml-text.ts'

/**
 * `name` is the address as it was typed. `address` is undefined for this machine; `config` is the absolute path of its specification,
 * undefined for the defaults. `ssh` is what ssh's configuration says of the host.
 */
export type Target = Readonly<{
  name: string
  address: HostAddress | undefined
  config: string | undefined
  ssh?: SshSettings
}>

/** Reads a text file given on the command line. Throws a usage failure when it cannot be read. */
export async function readNamedFile(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: Error) => {
    throw new Failure(
      { what: `cannot read ${path}`, why: error.message, next: `check the path: ${quoteAll(['ls', '-l', path])}` },
      64,
      error,
    )
  })
}

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

/** Returns those that `--limit` names, all without it. Throws a usage failure for a name that none of them has: a mistyped one must not be passed over. */
function limitTargets(invocation: Invocation, targets: readonly Target[]): readonly Target[] {
  const named = textOptions(invocation, 'limit').map((text) => parseTypedAddress(text))
  const stranger = named.find((each) => !targets.some((target) => isNamed(each, target)))
  if (stranger !== undefined) {
    const names = targets.flatMap(({ name, address }) => (address === undefined ? [] : [name]))
    const near = nearest(stranger.text, names) ?? names[0]
    throw usageFailure(
      names.length === 0
        ? '"--limit" chooses from the hosts of --host and --inventory, and none is given'
        : `"--limit ${stranger.text}" names none of the hosts that are given`,
      near === undefined
        ? commandHint(invocation, invocation.verb.name, '--inventory', 'FILE')
        : commandHint(withoutLimit(invocation), invocation.verb.name, '--limit', near),
    )
  }
  return named.length === 0 ? targets : targets.filter((target) => named.some((each) => isNamed(each, target)))
}

function withoutLimit({ options: { limit: _, ...options } }: Invocation): Pick<Invocation, 'options'> {
  return { options }
}

/** Returns the hosts in the order in which they were given, each once. */
export async function readTargets(invocation: Invocation): Promise<readonly Target[]> {
  const absolute = (path: string | undefined) =>
    path === undefined ? undefined : resolve(invocation.workingFolder, path)
  const config = absolute(textOption(invocation, 'config'))
  const inventory = absolute(textOption(invocation, 'inventory'))
  const verb = [invocation.verb.name, ...(invocation.action === undefined ? [] : [invocation.action])].join(' ')
  const next = (address: string) => `tappass ${verb} --host ${address}`
  const targetOf = async (typed: TypedAddress, own: string | undefined): Promise<Target> => {
    const ssh = await readSshSettings(invocation, typed)
    const address = completeAddress(typed, ssh, next)
    const name = renderHostAddress({ ...address, name: typed.name })
    return { name, address, config: own, ...(ssh === undefined ? {} : { ssh }) }
  }
  const named = textOptions(invocation, 'host').map((text) => targetOf(parseTypedAddress(text, next), config))
  const hosts =
    inventory === undefined ? [] : parseInventory(parseYaml(await readNamedFile(inventory), inventory), inventory)
  const listed = hosts.map(({ address, config: own }) =>
    targetOf(address, own === undefined ? config : resolve(dirname(inventory ?? ''), own)),
  )
  const all = await Promise.all([...named, ...listed])
  const unique = all.filter(({ name }, index) => all.findIndex((other) => other.name === name) === index)
  return limitTargets(invocation, unique.length > 0 ? unique : [{ name: 'this host', address: undefined, config }])
}
