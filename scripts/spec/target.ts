/** The target hosts of a command: this machine, or those of `--host` and `--inventory`. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Invocation, textOption, textOptions } from '../command-line/invocation.ts'
import { type HostAddress, parseHostAddress, renderHostAddress } from '../connection/host-address.ts'
import { Failure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import { parseInventory } from './inventory.ts'
import { parseYaml } from './yaml-text.ts'

/** `address` is undefined for this machine; `config` is the absolute path of its specification, undefined for the defaults. */
export type Target = Readonly<{ name: string; address: HostAddress | undefined; config: string | undefined }>

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

/** Returns the hosts in the order in which they were given, each once. */
export async function readTargets(invocation: Invocation): Promise<readonly Target[]> {
  const absolute = (path: string | undefined) =>
    path === undefined ? undefined : resolve(invocation.workingFolder, path)
  const config = absolute(textOption(invocation, 'config'))
  const inventory = absolute(textOption(invocation, 'inventory'))
  const targetOf = (address: HostAddress, own: string | undefined): Target => ({
    name: renderHostAddress(address),
    address,
    config: own,
  })
  const verb = [invocation.verb.name, ...(invocation.action === undefined ? [] : [invocation.action])].join(' ')
  const next = (address: string) => `tappass ${verb} --host ${address}`
  const named = textOptions(invocation, 'host').map((text) => targetOf(parseHostAddress(text, next), config))
  const listed =
    inventory === undefined
      ? []
      : parseInventory(parseYaml(await readNamedFile(inventory), inventory), inventory).map(
          ({ address, config: own }) =>
            targetOf(address, own === undefined ? config : resolve(dirname(inventory), own)),
        )
  const all = [...named, ...listed]
  const unique = all.filter(({ name }, index) => all.findIndex((other) => other.name === name) === index)
  return unique.length > 0 ? unique : [{ name: 'this host', address: undefined, config }]
}
