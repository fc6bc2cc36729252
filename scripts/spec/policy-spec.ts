/** The settings `policy` and `opa`: which engine decides on a host, and what an OPA server of it is made of. */
import * as v from 'valibot'
import { HOST_PATH } from '../../contract/path.ts'
import { opaInstance } from '../../contract/unit.ts'
import { parsePins } from '../artifacts/pin.ts'
import { type BundleOptions, bundleKey, readPolicyFiles } from '../artifacts/policy-bundle.ts'

/** What decides on a server: `opa` unless it is written. */
export const policySchema = v.optional(
  v.strictObject({ engine: v.optional(v.picklist(['embedded', 'opa'])) }),
  {} as never,
)

/** `program`: OPA's static program for Linux as its vendor publishes it, a file on the controller. `sha256`: what a download has to be. */
export const opaSchema = v.optional(
  v.strictObject({
    program: v.optional(v.pipe(v.string(), v.minLength(1))),
    sha256: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex digits'))),
  }),
  {} as never,
)

/** The settings that decide on the engine. */
export type PolicySettings = Readonly<{
  policy?: Readonly<{ engine?: 'embedded' | 'opa' | undefined }> | undefined
}>

/** Whether an OPA server decides. */
export function hasOpa({ policy }: PolicySettings): boolean {
  return (policy?.engine ?? 'opa') === 'opa'
}

/** An OPA server: its unit, what it reads, and where it listens. `bundle` is what its folder is made from. */
export type OpaServer = Readonly<{
  key: string
  unit: string
  folder: string
  socket: string
  version: string
  bundle: BundleOptions
}>

/** Returns the OPA server that a host shall have; undefined where the gateways decide by themselves. `text` returns a file of the release. */
export function opaServerOf(settings: PolicySettings, text: (path: string) => string): OpaServer | undefined {
  if (!hasOpa(settings)) return undefined
  const { version } = parsePins(text('versions.yaml')).opa
  const source = { policy: readPolicyFiles(text), template: text('templates/opa/opa.yaml.hbs') }
  const key = bundleKey(source, version)
  const folder = `${HOST_PATH.opaConfigFolder}/${key}`
  const socket = `${HOST_PATH.opaSocketFolder}/${key}.sock`
  return {
    key,
    unit: opaInstance(key),
    folder,
    socket,
    version,
    bundle: { ...source, bundlePath: `${folder}/bundle.tar.gz` },
  }
}
