/** Archives that come out the same, byte for byte, whenever and wherever they are made from the same files. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { demand } from './execution.ts'

/** Gives the SHA-256 of a file as lower-case hexadecimal digits. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

const steady = ['--sort=name', '--mtime=@0', '--numeric-owner', '--format=gnu']

/** Packs the named entries of a folder into a tar file, owners as they are. */
export async function packTar(folder: string, entries: readonly string[], target: string): Promise<void> {
  await demand(['tar', ...steady, '-C', folder, '-cf', target, ...entries])
}

/** Packs the named entries of a folder into a gzipped tar file that belongs to root throughout. */
export async function packGzip(folder: string, entries: readonly string[], target: string): Promise<void> {
  const compress = '--use-compress-program=gzip -n -3'
  await demand(['tar', ...steady, '--owner=0', '--group=0', compress, '-C', folder, '-cf', target, ...entries])
}
