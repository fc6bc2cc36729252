/** Puts together what a host should be: its specification, what options say on top, and the controller's files, measured. */
import { dirname, resolve } from 'node:path'
import { measureFile, measureImage, readSecret } from '../artifacts/artifact-measurement.ts'
import { measureRelease } from '../artifacts/release-archive.ts'
import { type Invocation, textOption, textOptions } from '../command-line/invocation.ts'
import { usageFailure } from '../core/failure.ts'
import {
  checkHostOption,
  checkHostSpec,
  type HostSpec,
  parseYaml,
  SETTINGS_PATH,
  type WrittenSpec,
} from './host-spec.ts'
import { readNamedFile, type Target } from './target.ts'

type Tree = Readonly<Record<string, unknown>>

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What options say wins over what is written. */
function withOptions(written: unknown, invocation: Invocation): unknown {
  if (written !== null && written !== undefined && !isTree(written)) return written
  const domain = textOption(invocation, 'domain')
  const upstream = textOption(invocation, 'upstream')
  const gateway = written?.['gateway']
  return {
    ...written,
    ...(domain === undefined ? {} : { domain }),
    ...(upstream === undefined ? {} : { gateway: { ...(isTree(gateway) ? gateway : {}), upstream } }),
  }
}

/** What a host's own record must not say: a host would otherwise choose which files of this machine are sent to it. */
const CONTROLLER_KEYS = ['images', 'node', 'caddy'] as const

/** The settings in force on a host, as far as they go on: another domain has its kind of TLS decided anew. */
function keepSettings(text: string, invocation: Invocation): unknown {
  const written = parseYaml(text, SETTINGS_PATH)
  if (!isTree(written)) return written
  const foreign = CONTROLLER_KEYS.find((key) => written[key] !== undefined)
  if (foreign !== undefined)
    throw usageFailure(`${SETTINGS_PATH} names files of this machine (${foreign})`, 'give --config FILE')
  const domain = textOption(invocation, 'domain')
  if (domain === undefined || domain === written['domain']) return written
  const { tls: _, ...rest } = written
  return rest
}

/**
 * The specification as written, with options and defaults. `inForce` is the host's record, which counts where no file is given.
 * Throws a usage failure that lists every fault, or names the option that is at fault.
 */
export async function readWrittenSpec(
  invocation: Invocation,
  { config }: Target,
  inForce?: string,
): Promise<WrittenSpec> {
  for (const option of ['domain', 'upstream'] as const) {
    const value = textOption(invocation, option)
    if (value !== undefined) checkHostOption(invocation.verb.name, option, value)
  }
  if (config !== undefined) {
    return checkHostSpec(withOptions(parseYaml(await readNamedFile(config), config), invocation), config)
  }
  if (inForce === undefined) return checkHostSpec(withOptions({}, invocation), 'the command line')
  return checkHostSpec(withOptions(keepSettings(inForce, invocation), invocation), SETTINGS_PATH)
}

async function archived<T>(path: string | undefined, measure: (path: string) => Promise<T>) {
  return path === undefined ? {} : { archive: await measure(path) }
}

/** What roles get. Paths in the specification are relative to its own folder. */
export async function readHostSpec(invocation: Invocation, target: Target, inForce?: string): Promise<HostSpec> {
  const written = await readWrittenSpec(invocation, target, inForce)
  const folder = target.config === undefined ? invocation.workingFolder : dirname(target.config)
  const at = (path: string | undefined) => (path === undefined ? undefined : resolve(folder, path))
  const [postgres, redis, node, caddy, release, secrets] = await Promise.all([
    archived(at(written.images.postgres.archive), measureImage),
    archived(at(written.images.redis.archive), measureImage),
    archived(at(written.node.archive), measureFile),
    archived(at(written.caddy.archive), measureFile),
    measureRelease(invocation.root),
    Promise.all(textOptions(invocation, 'secret').map((text) => readSecret(text, invocation.workingFolder))),
  ])
  return { ...written, images: { postgres, redis }, node, caddy, release, secrets: Object.fromEntries(secrets) }
}
