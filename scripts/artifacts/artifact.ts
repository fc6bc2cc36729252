/** Files on the controller that are sent to hosts, as values: planning never opens them. */
import { createReadStream } from 'node:fs'
import type { Stdin } from '../core/host.ts'

/** The bytes of a file that are meant, the last one included, where it holds more than them. */
export type FilePart = Readonly<{ start: number; end: number }>

/** A file on the controller, or a part of one, and the SHA-256 (lower-case hex) of its bytes. */
export type LocalFile = Readonly<{ file: string; sha256: string; part?: FilePart }>

/** A file made by `docker save`: the image's id (digest of its configuration) and the digests of its unpacked layers. */
export type LocalImage = Readonly<{ file: string; imageId: string; layers: readonly string[]; part?: FilePart }>

/** A secret that the operator provides. `readValue` returns the value; printing or serializing this shows the fingerprint at most. */
export type ProvidedSecret = Readonly<{ sha256: string; readValue: () => string }>

/** Stands for the path of a file that an earlier run sent, and of which only the digest is known here. */
export const ELSEWHERE = 'the file that was sent to it'

type OpenedFile = Readonly<{ file: string; part?: FilePart }>

/** Returns the file as standard input of a command; it is opened when the command runs. `identity` says which bytes it has. */
export function openFile(
  { file, part = { start: 0, end: Number.POSITIVE_INFINITY } }: OpenedFile,
  identity: string,
): Stdin {
  const open = () => createReadStream(file, part)
  return file === ELSEWHERE ? { open, identity, isElsewhere: true } : { open, identity, path: file }
}

/** `version` is the package's version and 12 hex digits of the content; `manifest` is in sha256sum's format, sorted by path. */
export type ReleaseArchive = Readonly<{
  version: string
  manifest: string
  /** A gzipped tar of the files named in the manifest. */
  open: () => AsyncIterable<Uint8Array>
}>
