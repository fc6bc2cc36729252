/** Measures what the controller sends to hosts: archives of programs and images, secrets that the operator hands in, the release itself. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createGunzip } from 'node:zlib'
import { nearest } from '../command-line/suggestion.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { MADE_SECRET_IDS, OPTIONAL_SECRET_IDS } from '../secrets/secret-id.ts'
import type { LocalFile, LocalImage, ProvidedSecret } from './artifact.ts'
import { fileReader, readTar, streamReader } from './tar.ts'

const SECRET_IDS: readonly string[] = [...MADE_SECRET_IDS, ...OPTIONAL_SECRET_IDS]

function unreadable(file: string, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new Failure({ what: `${file} can't be read`, why, next: 'check the path in the specification' }, 64, cause)
}

/** The SHA-256 of a file. Throws a usage failure when it can't be read. */
export async function measureFile(file: string): Promise<LocalFile> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk)
  } catch (error) {
    throw unreadable(file, error)
  }
  return { file, sha256: hash.digest('hex') }
}

type Manifest = readonly Readonly<{ Config: string }>[]
type ImageConfiguration = Readonly<{ rootfs: Readonly<{ diff_ids: readonly string[] }> }>

/** Members that may be manifest.json or a configuration; layers are passed over. */
function isSmall(name: string, bytes: number): boolean {
  return bytes <= 1 << 20 && !name.endsWith('.tar')
}

async function smallMembers(file: string): Promise<ReadonlyMap<string, Buffer>> {
  await using handle = await open(file)
  const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0)
  const isGzipped = buffer.readUInt16BE() === 0x1f8b
  if (!isGzipped) return await readTar(fileReader(handle), isSmall)
  return await readTar(streamReader(createReadStream(file).pipe(createGunzip())), isSmall)
}

/** Reads manifest.json and the configuration it names out of what `docker save` wrote, gzipped or not. Only the first image counts. */
export async function measureImage(file: string): Promise<LocalImage> {
  try {
    const members = await smallMembers(file)
    const manifest = JSON.parse(members.get('manifest.json')?.toString('utf8') ?? 'null') as Manifest | null
    const configuration = members.get(manifest?.[0]?.Config ?? '')
    if (configuration === undefined) throw new Error('it has no manifest.json with a configuration; use docker save')
    const { rootfs } = JSON.parse(configuration.toString('utf8')) as ImageConfiguration
    const imageId = `sha256:${createHash('sha256').update(configuration).digest('hex')}`
    return { file, imageId, layers: rootfs.diff_ids }
  } catch (error) {
    throw unreadable(file, error)
  }
}

/** Reads `ID=FILE`, the file relative to `folder`. One line end at the file's end is not part of the value. */
export async function readSecret(
  written: string,
  folder: string,
): Promise<readonly [id: string, secret: ProvidedSecret]> {
  const [id = '', ...rest] = written.split('=')
  if (!/^[a-z0-9][a-z0-9-]*$/.test(id) || rest.join('=') === '') {
    throw usageFailure('--secret has the form ID=FILE', 'tappass bootstrap --secret openai-api-key=FILE')
  }
  if (!SECRET_IDS.includes(id)) {
    throw usageFailure(
      `there is no secret "${id}"; they are ${SECRET_IDS.join(', ')}`,
      `tappass bootstrap --secret ${nearest(id, SECRET_IDS) ?? 'openai-api-key'}=FILE`,
    )
  }
  const file = resolve(folder, rest.join('='))
  const value = (await readFile(file, 'utf8').catch((error) => Promise.reject(unreadable(file, error)))).replace(
    /\r?\n$/,
    '',
  )
  if (value === '') throw new Failure({ what: `${file} is empty`, next: `put the secret ${id} into it` }, 64)
  const sha256 = createHash('sha256').update(value).digest('hex')
  return [id, { sha256, reveal: () => value }]
}
