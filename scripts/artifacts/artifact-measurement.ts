/** Measures what the controller sends to hosts: archives of programs and images, and secrets that the operator provides. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { STORE_CREDENTIAL_IDS, storeCredentialProblem } from '../../contract/backup-store.ts'
import { secretNameOf, secretProblem } from '../../contract/secret.ts'
import { STORAGE_CREDENTIAL_IDS, storageCredentialProblem } from '../../contract/storage.ts'
import { nearest } from '../command-line/suggestion.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import { sha256Of } from '../core/sha256.ts'
import { certificateProblem, INGRESS_SECRET_IDS, ingressSecretProblem } from '../secrets/ingress-secret.ts'
import { GENERATED_SECRET_IDS, OPTIONAL_SECRET_IDS } from '../secrets/secret-id.ts'
import type { LocalFile, LocalImage, ProvidedSecret } from './artifact.ts'
import { forgetful, type MeasurementStore } from './measurement-store.ts'

/** The ids of all secrets that can be provided. */
export const SECRET_IDS: readonly string[] = [
  ...GENERATED_SECRET_IDS,
  ...OPTIONAL_SECRET_IDS,
  ...INGRESS_SECRET_IDS,
  ...STORAGE_CREDENTIAL_IDS,
  ...STORE_CREDENTIAL_IDS,
]

function unreadable(file: string, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new Failure(
    { what: `cannot read ${file}`, why, next: `check the path: ${quoteAll(['ls', '-l', file])}` },
    64,
    cause,
  )
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}

/** Returns the SHA-256 of a file. Throws a usage failure when it cannot be read. */
export async function measureFile(file: string, store: MeasurementStore = forgetful): Promise<LocalFile> {
  try {
    return { file, sha256: await store(`file ${file}`, [file], () => digestOf(file)) }
  } catch (error) {
    throw unreadable(file, error)
  }
}

type Manifest = readonly Readonly<{ Config: string }>[]
type ImageConfiguration = Readonly<{ rootfs: Readonly<{ diff_ids: readonly string[] }> }>

/** Members that may be manifest.json or a configuration; layers are skipped. */
function isMetadata(name: string, bytes: number): boolean {
  return bytes <= 1 << 20 && !name.endsWith('.tar')
}

/** Reads the whole archive: 0.1 s for 300 MB. */
async function readMetadata(file: string): Promise<ReadonlyMap<string, Buffer>> {
  await using handle = await open(file)
  const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0)
  const isGzipped = buffer.readUInt16BE() === 0x1f8b
  const source = createReadStream(file, { highWaterMark: 1 << 20 })
  const bytes = Readable.toWeb(isGzipped ? source.pipe(createGunzip()) : source)
  const { unpackTar } = await import('modern-tar')
  const members = await unpackTar(bytes, {
    filter: ({ type, name, size }) => type === 'file' && isMetadata(name, size),
  })
  return new Map(members.map(({ header, data }) => [header.name.replace(/^\.\//, ''), Buffer.from(data ?? [])]))
}

async function readImage(file: string): Promise<Omit<LocalImage, 'file'>> {
  const members = await readMetadata(file)
  const manifest = JSON.parse(members.get('manifest.json')?.toString('utf8') ?? 'null') as Manifest | null
  const configuration = members.get(manifest?.[0]?.Config ?? '')
  if (configuration === undefined)
    throw new Error('no manifest.json with a configuration in it; create the file with docker save')
  const { rootfs } = JSON.parse(configuration.toString('utf8')) as ImageConfiguration
  const imageId = `sha256:${sha256Of(configuration)}`
  return { imageId, layers: rootfs.diff_ids, sha256: await digestOf(file) }
}

/** Reads manifest.json and the configuration that it names from an archive of `docker save`, gzipped or not. Only the first image counts. */
export async function measureImage(file: string, store: MeasurementStore = forgetful): Promise<LocalImage> {
  try {
    return { file, ...(await store(`docker image ${file}`, [file], () => readImage(file))) }
  } catch (error) {
    throw unreadable(file, error)
  }
}

function storageProblem(id: string, text: string): string | undefined {
  const problem = storageCredentialProblem(id, text)
  return problem === undefined ? undefined : `can't be used: ${problem}`
}

/** Reads a secret given as `ID=FILE`, the file relative to `folder`. A line end at the end of the file is not part of the value. */
export async function readSecret(
  option: string,
  folder: string,
): Promise<readonly [id: string, secret: ProvidedSecret]> {
  const [id = '', ...rest] = option.split('=')
  if (!/^[a-z0-9][a-z0-9-]*$/.test(id) || rest.join('=') === '') {
    throw usageFailure(
      `"--secret" has the form ID=FILE, not "${option}"`,
      'tappass bootstrap --secret openai-api-key=FILE',
    )
  }
  if (!SECRET_IDS.includes(id)) {
    throw usageFailure(
      `there is no secret "${id}"; secrets are ${SECRET_IDS.join(', ')}`,
      `tappass bootstrap --secret ${nearest(id, SECRET_IDS) ?? 'openai-api-key'}=FILE`,
    )
  }
  const file = resolve(folder, rest.join('='))
  const value = (await readFile(file, 'utf8').catch((error) => Promise.reject(unreadable(file, error)))).replace(
    /\r?\n$/,
    '',
  )
  if (value === '') throw new Failure({ what: `${file} is empty`, next: `write the secret ${id} to ${file}` }, 64)
  const name = secretNameOf(id)
  const problem =
    name === undefined
      ? (ingressSecretProblem(id, value) ?? storageProblem(id, value) ?? storeCredentialProblem(id, value))
      : secretProblem(name, value)
  if (problem !== undefined)
    throw new Failure({ what: `the secret in ${file} ${problem}`, next: `write the secret ${id} to ${file}` }, 64)
  const sha256 = sha256Of(value)
  return [id, { sha256, readValue: () => value }]
}

/** Throws a `Failure` (exit 64) for a certificate among the secrets that is not its key's, or not valid at this time. */
export function assertCertificate(secrets: Readonly<Record<string, ProvidedSecret>>, nowMs: number): void {
  const text = (id: (typeof INGRESS_SECRET_IDS)[number]) => secrets[id]?.readValue()
  const what = certificateProblem({ certificate: text('tls-certificate'), key: text('tls-key') }, nowMs)
  if (what === undefined) return
  throw new Failure({ what, next: 'tappass bootstrap --secret tls-certificate=FILE --secret tls-key=FILE' }, 64)
}
