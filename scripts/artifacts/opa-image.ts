/**
 * Lays out the files of OPA's image, for the Dockerfile: the program of the pinned version, and this release's policy, signed by a key that is forgotten with it. As on a server the
 * program has to have the digest that is given, or else the one that its vendor has beside it. `node opa-image.ts FOLDER [ADDRESS] [SHA-256]`
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, renderFailure } from '../core/failure.ts'
import { opaUrl } from './opa-url.ts'
import { type Pins, parsePins } from './pin.ts'
import { createBundle, readPolicyFiles } from './policy-bundle.ts'

const ROOT = join(import.meta.dirname, '../..')
const TIMEOUT_MS = 10 * 60_000
/** Where the files stand in the image. */
const PLACE = { program: 'opa', config: 'policy/opa.yaml', bundle: 'policy/bundle.tar.gz' } as const
const NEXT =
  'in the environment file, OPA_DOWNLOAD names a mirror and OPA_SHA256 the digest that you trust; then docker compose --env-file .env.prod build opa'

type Get = (url: string) => Promise<Uint8Array>

/** Where the program comes from; an empty `address` is the vendor's, an empty `sha256` the one that stands beside it there. */
export type OpaSource = Readonly<{ pin: Pins['opa']; address: string; sha256: string; architecture: string }>

function refused(what: string, where: string, why: string): Failure {
  return new Failure({ what, where, why, next: NEXT })
}

/** Returns the bytes of the program. Throws a `Failure` for bytes of another digest, and where none can be had. */
export async function fetchOpa({ pin, address, sha256, architecture }: OpaSource, get: Get): Promise<Uint8Array> {
  const url = opaUrl(address === '' ? pin.download : address, pin.version, architecture)
  const fetched = async (from: string) => {
    try {
      return await get(from)
    } catch (cause) {
      throw refused('a download failed', from, `${(cause as Error).message}`)
    }
  }
  const expected = sha256 === '' ? Buffer.from(await fetched(`${url}.sha256`)).toString('utf8') : sha256
  const [, digest] = /^([0-9a-f]{64})(\s|$)/.exec(expected) ?? []
  if (digest === undefined)
    throw refused('a digest of OPA is none', `${url}.sha256`, 'it does not begin with a SHA-256')
  const bytes = await fetched(url)
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found === digest) return bytes
  throw refused('a download is not what it has to be', url, `its SHA-256 is ${found}, expected ${digest}`)
}

async function download(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (!response.ok) throw new Error(`it is answered with ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

async function layOut(folder: string, address: string, sha256: string): Promise<void> {
  const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
  const { opa: pin } = parsePins(text('versions.yaml'))
  const program = await fetchOpa({ pin, address, sha256, architecture: process.arch }, download)
  const template = text('templates/opa/opa.yaml.hbs')
  const { bundle, config } = await createBundle({
    policy: readPolicyFiles(text),
    template,
    bundlePath: `/${PLACE.bundle}`,
  })
  const write = (place: string, content: string | Uint8Array, mode: number) =>
    writeFileSync(join(folder, place), content, { mode })
  mkdirSync(join(folder, 'policy'), { recursive: true })
  write(PLACE.program, program, 0o755)
  write(PLACE.bundle, bundle, 0o644)
  write(PLACE.config, config, 0o644)
  const says = execFileSync(join(folder, PLACE.program), ['version'], { encoding: 'utf8' })
  if (!says.startsWith(`Version: ${pin.version}\n`))
    throw refused('a program is of another version', join(folder, PLACE.program), `it says ${says.split('\n')[0]}`)
}

if (import.meta.main) {
  const [folder = '', address = '', sha256 = ''] = process.argv.slice(2)
  try {
    await layOut(folder, address, sha256)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    process.stderr.write(`${renderFailure(error.text, './tappass')}\n`)
    process.exitCode = error.code
  }
}
