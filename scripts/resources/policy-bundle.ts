/** The folder of an OPA server: the signed bundle of a policy, and the configuration that takes that one and no other. */
import { type BundleOptions, bundleProblem, createBundle } from '../artifacts/policy-bundle.ts'
import { scriptCommand } from '../core/command.ts'
import type { Fact } from '../core/host.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'
import { unsafePathFact } from '../facts/permission.ts'
import { prepareStaging, removeStaging, stagedPath, stagingFolder, swapInto } from '../files/directory-swap.ts'

/** `path` is the folder; the bundle of `options` stands in it. */
export type PolicyBundleOptions = Readonly<{ path: string; options: BundleOptions }>

const BUNDLE = 'bundle.tar.gz'
const CONFIG = 'opa.yaml'

type Found = Readonly<{ bundle: Buffer; config: string }>

/** Both files, some 6 KB. Undefined where one is absent. */
export function policyBundleFact(path: string): Fact<Found | undefined> {
  const script = `cd "$1" 2>/dev/null || exit 1
base64 -w0 -- "$2" && echo && base64 -w0 -- "$3"`
  return {
    query: { argv: ['sh', '-c', script, 'sh', path, BUNDLE, CONFIG], effect: 'read' },
    parse: ({ code, stdout }) => {
      if (code !== 0) return undefined
      const [bundle = '', config = ''] = stdout.split('\n')
      return { bundle: Buffer.from(bundle, 'base64'), config: Buffer.from(config, 'base64').toString('utf8') }
    },
  }
}

/** Both files as one tar: the key is made, used and forgotten when it is opened. */
async function* signed(options: BundleOptions): AsyncIterable<Uint8Array> {
  const { packTar } = await import('modern-tar')
  const { bundle, config } = await createBundle(options)
  const members = { [BUNDLE]: bundle, [CONFIG]: Buffer.from(config) }
  yield await packTar(
    Object.entries(members).map(([name, body]) => ({
      header: { name, size: body.length, mode: 0o644, mtime: new Date(0) },
      body,
    })),
  )
}

/** The folder. It is made anew, with a new key, when anything in it is not as it has to be, the signature included. */
export function policyBundle({ path, options }: PolicyBundleOptions): Resource {
  return {
    id: `policy-bundle:${path}`,
    absent: leavesNothing('it goes with its folder'),
    plan: async (getFact) => {
      const staging = stagingFolder(path)
      const [found, unsafePath, left] = await Promise.all([
        getFact(policyBundleFact(path)),
        getFact(unsafePathFact(path)),
        getFact(pathFact(staging)),
      ])
      const reason =
        found === undefined
          ? 'it is absent'
          : ((await bundleProblem(found, options)) ??
            (unsafePath && `${unsafePath} is writable by others than its owner, or not readable by all`))
      if (reason === undefined) return left.kind === 'absent' ? [] : [removeStaging(staging)]
      const staged = stagedPath(staging)
      const unpack = scriptCommand('tar -xf - -C "$1" --no-same-owner; chmod 0755 "$1"; chmod 0644 "$1"/*', [staged], {
        open: () => signed(options),
      })
      const commands = [prepareStaging(staging), unpack, swapInto(staging, path)] as const
      return [{ action: `sign the policy ${options.policy.revision.slice(0, 12)} into ${path}`, reason, commands }]
    },
  }
}
