/** The options `--bundle FILE --bundle-key FILE` of a run: the bundle, verified, or none. */
import { resolve } from 'node:path'
import { type Invocation, textOption } from '../command-line/invocation.ts'
import { readAuthority } from '../control/license-file.ts'
import { usageFailure } from '../core/failure.ts'
import { type Bundle, openBundle } from './bundle-file.ts'

/** Returns the bundle that the command line names. Throws a usage failure without a key, and a `Failure` (exit 5) for one that does not hold. */
export async function readBundleOption(invocation: Invocation): Promise<Bundle | undefined> {
  const [path, key] = [textOption(invocation, 'bundle'), textOption(invocation, 'bundle-key')]
  const { verb, workingFolder } = invocation
  if (path === undefined && key === undefined) return undefined
  if (path === undefined || key === undefined)
    throw usageFailure(
      '"--bundle" and "--bundle-key" go together',
      `tappass ${verb.name} --bundle FILE --bundle-key FILE`,
    )
  return await openBundle(resolve(workingFolder, path), readAuthority(resolve(workingFolder, key)))
}
