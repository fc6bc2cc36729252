/** Files on the controller that are sent to hosts, as values: planning never opens them. */
import { createReadStream, statSync } from 'node:fs'
import type { Resumable, Stdin } from '../core/host.ts'

/** The bytes of a file that are meant, the last one included, where it holds more than them. */
export type FilePart = Readonly<{ start: number; end: number }>

/** Where bytes are: a file or a part of one. `name` is what it is called where it was sent from. */
export type Located = Readonly<{ file: string; part?: FilePart; name?: string }>

/** A file on the controller, or a part of one, and the SHA-256 (lower-case hex) of its bytes. */
export type LocalFile = Located & Readonly<{ sha256: string }>

/** A file made by `docker save`: the image's id (digest of its configuration) and the digests of its unpacked layers. `sha256` is that of its bytes, where they are here. */
export type LocalImage = Located & Readonly<{ sha256?: string; imageId: string; layers: readonly string[] }>

/** A secret that the operator provides. `readValue` returns the value; printing or serializing this shows the fingerprint at most. */
export type ProvidedSecret = Readonly<{ sha256: string; readValue: () => string }>

/** Stands for the path of a file that an earlier run sent, and of which only the digest is known here. */
export const ELSEWHERE = 'the file that was sent to it'

/** Returns what a file is called for people. */
export function nameOf({ file, name = file }: Located): string {
  return name
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Returns the file as standard input of a command; it is opened when the command runs. `identity` says which bytes it has. */
export function openFile({ file, part, sha256 }: Located & Readonly<{ sha256?: string }>, identity: string): Stdin {
  const { start, end } = part ?? { start: 0, end: Number.POSITIVE_INFINITY }
  // An empty range can't be said to it.
  const openAt = (offset: number) =>
    start + offset > end ? nothing() : createReadStream(file, { start: start + offset, end })
  const open = () => openAt(0)
  if (file === ELSEWHERE) return { open, identity, isElsewhere: true }
  const bytes = () => (part === undefined ? statSync(file).size : end - start + 1)
  return { open, identity, ...(sha256 === undefined ? {} : { resumable: { sha256, bytes, openAt } }) }
}

/** `version` is the package's version and 12 hex digits of the content; `manifest` is in sha256sum's format, sorted by path. */
export type ReleaseArchive = Readonly<{
  version: string
  manifest: string
  /** A gzipped tar of the files named in the manifest. */
  open: () => AsyncIterable<Uint8Array>
  /** The same, for a transfer that may be cut. */
  resumable?: () => Promise<Resumable>
}>

/** Returns the archive as standard input of a command. */
export function openArchive({ open, version, resumable }: ReleaseArchive): Stdin {
  return { open, identity: version, ...(resumable && { resumable }) }
}
