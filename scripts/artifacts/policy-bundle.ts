/**
 * The policy of a release as a signed bundle for an OPA server. The key is made with the bundle and forgotten: its private half is never
 * stored, so nobody can sign another bundle that the same OPA would take.
 */
import { gunzipSync, gzipSync } from 'node:zlib'
import { Failure } from '../core/failure.ts'
import { sha256Of } from '../core/sha256.ts'
import { render } from '../core/template.ts'

/** Files by their names in the bundle, and the revision that OPA says with each decision. */
export type PolicyFiles = Readonly<{ revision: string; files: Readonly<Record<string, string>> }>

/** A bundle and the configuration of the OPA that takes this one and no other. */
export type SignedBundle = Readonly<{ bundle: Uint8Array; config: string }>

/** `template` is that of the configuration, `bundlePath` where the bundle will stand on the host. */
export type BundleOptions = Readonly<{ policy: PolicyFiles; template: string; bundlePath: string }>

/** What the signature is for. */
export const BUNDLE_SCOPE = 'tappass-policy'

const ALGORITHM = 'ES256'
const SIGNATURES = '.signatures.json'
const FOLDER = 'server/policy'

type Lock = Readonly<{
  revision: string
  sources: Readonly<Record<string, string>>
  served: Readonly<Record<string, string>>
}>

/** With the members of every object in order, as OPA hashes JSON. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([key, member]) => [key, inOrder(member)]))
}

/**
 * Reads the policy of this release; `text` returns a file of it. Throws when a file is not the one that policy.lock.json names: it was
 * edited without `node server/policy/build.ts`.
 */
export function readPolicyFiles(text: (path: string) => string): PolicyFiles {
  const lock = JSON.parse(text(`${FOLDER}/policy.lock.json`)) as Lock
  const locked = Object.entries({ ...lock.sources, ...lock.served })
  const files = locked.map(([name, digest]) => {
    const content = text(`${FOLDER}/${name}`)
    if (sha256Of(content) === digest) return [name, content] as const
    throw new Failure({
      what: `${FOLDER}/${name} is not what policy.lock.json says`,
      why: 'it was edited after the policy was built',
      next: 'node server/policy/build.ts',
    })
  })
  // The whole of OPA's documents is the bundle's, so that nothing can be added over its API.
  const manifest = JSON.stringify({ revision: lock.revision, rego_version: 1, roots: [''] })
  return { revision: lock.revision, files: { ...Object.fromEntries(files), '.manifest': manifest } }
}

/** A name for what OPA is started with: other contents are another OPA, beside the one that is there. */
export function bundleKey({ policy, template }: Omit<BundleOptions, 'bundlePath'>, version: string): string {
  return sha256Of(JSON.stringify([policy, template, version])).slice(0, 12)
}

function signedFiles({ files }: PolicyFiles): readonly object[] {
  return Object.entries(files).map(([name, content]) => {
    const isJson = name === '.manifest' || name.endsWith('.json')
    const hash = sha256Of(isJson ? JSON.stringify(inOrder(JSON.parse(content))) : content)
    return { name, hash, algorithm: 'SHA-256' }
  })
}

function configOf({ template, bundlePath }: BundleOptions, publicPem: string): string {
  const keyLines = publicPem.trim().split('\n')
  // The id of a key that is used once is that of the key itself.
  const keyId = sha256Of(publicPem.trim()).slice(0, 16)
  return render(template, { keyId, keyLines, bundle: bundlePath, scope: BUNDLE_SCOPE })
}

/** Signs with a key that is made for it. Two calls never give the same bytes. */
export async function createBundle(options: BundleOptions): Promise<SignedBundle> {
  const { exportSPKI, generateKeyPair, SignJWT } = await import('jose')
  const { packTar } = await import('modern-tar')
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM)
  const claims = { files: signedFiles(options.policy), scope: BUNDLE_SCOPE }
  const token = await new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' }).sign(privateKey)
  const members = { ...options.policy.files, [SIGNATURES]: JSON.stringify({ signatures: [token] }) }
  const tar = await packTar(
    Object.entries(members).map(([name, body]) => ({
      header: { name, size: Buffer.byteLength(body), mode: 0o644, mtime: new Date(0) },
      body,
    })),
  )
  return { bundle: gzipSync(tar), config: configOf(options, await exportSPKI(publicKey)) }
}

async function membersOf(bundle: Uint8Array): Promise<Readonly<Record<string, string>>> {
  const { unpackTar } = await import('modern-tar')
  const members = await unpackTar(gunzipSync(bundle))
  return Object.fromEntries(members.map(({ header, data }) => [header.name, Buffer.from(data ?? []).toString('utf8')]))
}

/**
 * Returns what is wrong with a bundle and its configuration as they stand somewhere; undefined when they are this policy, signed by the key
 * that the configuration demands.
 */
export async function bundleProblem(
  { bundle, config }: SignedBundle,
  options: BundleOptions,
): Promise<string | undefined> {
  const { importSPKI, jwtVerify } = await import('jose')
  const publicPem = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/.exec(config)?.[0].replaceAll(/^ +/gm, '')
  if (publicPem === undefined || config !== configOf(options, publicPem)) return 'its configuration was changed'
  const members = await membersOf(bundle).catch(() => undefined)
  if (members === undefined) return 'its bundle cannot be read'
  const { [SIGNATURES]: signatures = '{}', ...files } = members
  if (JSON.stringify(inOrder(files)) !== JSON.stringify(inOrder(options.policy.files)))
    return 'its bundle holds another policy than policy.lock.json names'
  try {
    const [token = ''] = (JSON.parse(signatures) as { signatures?: readonly string[] }).signatures ?? []
    const { payload } = await jwtVerify(token, await importSPKI(publicPem, ALGORITHM), { algorithms: [ALGORITHM] })
    const isSame = JSON.stringify(payload['files']) === JSON.stringify(signedFiles(options.policy))
    if (isSame && payload['scope'] === BUNDLE_SCOPE) return undefined
    return 'its signature is for other files or another scope'
  } catch {
    return 'its signature is not by the key that OPA demands'
  }
}
