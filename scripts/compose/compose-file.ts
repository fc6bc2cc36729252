/** A Compose file as far as it says what shall run: the name of its project, and its services. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { type Invocation, textOption } from '../command-line/invocation.ts'
import { Failure, usageFailure } from '../core/failure.ts'

/** `isOptional`: it runs with a profile only. `isOnce`: it ends when it has done its work. */
export type ComposeService = Readonly<{ name: string; isOptional: boolean; isOnce: boolean }>

/** `path` is that of the file, as it is found from everywhere. */
export type ComposeProject = Readonly<{ path: string; name: string; services: readonly ComposeService[] }>

/** Options that name hosts, or what is to be done with several of them. */
const OF_HOSTS = [
  'host',
  'identity',
  'known-hosts',
  'accept-new-host-key',
  'inventory',
  'config',
  'limit',
  'retry',
] as const

/** Whether the command is about containers. Throws a usage failure where a host is named as well. */
export function isForCompose(invocation: Invocation): boolean {
  if (textOption(invocation, 'compose') === undefined) return false
  const other = OF_HOSTS.find((name) => invocation.options[name] !== undefined)
  if (other === undefined) return true
  throw usageFailure(
    `"--compose" is about the containers of this machine, and "--${other}" about hosts`,
    `tappass ${invocation.verb.name} --compose ${textOption(invocation, 'compose')}`,
  )
}

type FileContent = Readonly<{
  name?: unknown
  services?: Readonly<Record<string, Readonly<Record<string, unknown>> | null>>
}>

/** Returns what a text wants. Throws an `Error` that says why it is no Compose file with a name. */
export function parseCompose(text: string): Omit<ComposeProject, 'path'> {
  const { name, services } = (parse(text, { merge: true }) ?? {}) as FileContent
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9_-]*$/.test(name)) throw new Error('it has no "name" of a project')
  if (services === undefined) throw new Error('it has no "services"')
  const entries = Object.entries(services).map(([service, settings]) => ({
    name: service,
    isOptional: settings?.['profiles'] !== undefined,
    isOnce: settings?.['restart'] === 'no',
  }))
  return { name, services: entries }
}

/** Reads the file that `--compose` names. Throws a usage failure for one that is none. */
export function readCompose(invocation: Invocation): ComposeProject {
  const path = resolve(invocation.workingFolder, textOption(invocation, 'compose') ?? '')
  try {
    return { path, ...parseCompose(readFileSync(path, 'utf8')) }
  } catch (error) {
    const what = 'the file of "--compose" cannot be used'
    const next = `tappass ${invocation.verb.name} --compose compose.yaml`
    throw new Failure({ what, where: path, why: (error as Error).message, next }, EXIT_CODE.usage)
  }
}
