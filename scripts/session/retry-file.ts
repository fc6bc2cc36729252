/** The inventory of the hosts on which a run did not succeed, for the next run (`--retry`). */
import { rm, writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { EXIT_CODE, type ExitCode } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import type { Target } from '../inventory/target.ts'

/** A host, and how the run on it ended. */
export type TargetResult = Readonly<{ target: Target; code: ExitCode }>

/** Changes that are pending, or were not confirmed, are no failure. */
const SUCCESS: readonly ExitCode[] = [EXIT_CODE.upToDate, EXIT_CODE.changesPending]

/** What the host had in the inventory; what its groups said is part of that. */
function entryOf({ name, config, own, groups }: Target) {
  return {
    address: name,
    ...(groups === undefined ? {} : { groups: [...groups] }),
    ...(config === undefined ? {} : { config }),
    ...(own === undefined || Object.keys(own.settings).length === 0 ? {} : { settings: own.settings }),
    ...(own === undefined || Object.keys(own.secrets).length === 0 ? {} : { secrets: own.secrets }),
  }
}

/** Returns the text of the inventory; undefined when there is nothing to try again. All paths in it are absolute. */
export function renderRetryFile(results: readonly TargetResult[]): string | undefined {
  const hosts = results
    .filter(({ target, code }) => target.address !== undefined && !SUCCESS.includes(code))
    .map(({ target }) => entryOf(target))
  const groups = Object.fromEntries(hosts.flatMap((host) => (host.groups ?? []).map((name) => [name, {}])))
  if (hosts.length === 0) return undefined
  return stringify({ ...(Object.keys(groups).length === 0 ? {} : { groups }), hosts }, { aliasDuplicateObjects: false })
}

/** Writes the file; where there is nothing to try again it is removed. Throws a `Failure` when it cannot be written. */
export async function writeRetryFile(path: string, results: readonly TargetResult[]): Promise<void> {
  const text = renderRetryFile(results)
  const writing = text === undefined ? rm(path, { force: true }) : writeFile(path, text)
  await writing.catch((error: Error) => {
    const next = `check the path: ${quoteAll(['ls', '-ld', path])}`
    throw new Failure({ what: `cannot write ${path}`, why: error.message, next }, EXIT_CODE.failed, error)
  })
}
