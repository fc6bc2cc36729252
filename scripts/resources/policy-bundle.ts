/** The folder of an OPA server: the signed bundle of a policy, and the configuration that takes that one and no other. */
import { type BundleOptions, bundleProblem, createBundle } from '../artifacts/policy-bundle.ts'
import { scriptCommand } from '../core/command.ts'
import type { Fact } from '../core/host.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'
import { prepareStaging, removeStaging, stagedPath, stagingFolder, swapInto } from '../files/directory-swap.ts'

/** `path` is the folder; the bundle of `options` stands in it. */
export type PolicyBundleOptions = Readonly<{ path: string; options: BundleOptions }>

const BUNDLE = 'bundle.tar.gz'
const CONFIG = 'opa.yaml'

type Found = Readonly<{ bundle: Buffer; config: string; isSafe: boolean }>

/** Both files, some 6 KB, and whether nobody but root may write there and all may read. Undefined where one is absent. */
export function policyBundleFact(path: string): Fact<Found | undefined> {
  const script = `cd "$1" 2>/dev/null || exit 1
base64 -w0 -- "$2" && echo && base64 -w0 -- "$3" && echo && stat -c %a%u . "$2" "$3" | sort -u | tr '\\n' ' '`
  return {
    query: { argv: ['sh', '-c', script, 'sh', path, BUNDLE, CONFIG], effect: 'read' },
    parse: ({ code, stdout }) => {
      if (code !== 0) return undefined
      const [bundle = '', config = '', modes = ''] = stdout.split('\n')
      const [decoded, text] = [bundle, config].map((part) => Buffer.from(part, 'base64'))
      return { bundle: decoded ?? Buffer.of(), config: `${text}`, isSafe: modes.trim() === '6440 7550' }
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
      const [found, left] = await Promise.all([getFact(policyBundleFact(path)), getFact(pathFact(staging))])
      const unsafe = 'others than its owner may write there, or not all may read'
      const reason = found === undefined ? 'it is absent' : found.isSafe ? await bundleProblem(found, options) : unsafe
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
