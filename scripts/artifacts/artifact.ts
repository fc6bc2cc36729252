/** Files on the controller that are sent to hosts, as values: the deciding half never opens them. */
import { createReadStream } from 'node:fs'
import type { Stdin } from '../core/host.ts'

/** A file on the controller and the SHA-256 (lower-case hex) of its bytes. */
export type LocalFile = Readonly<{ file: string; sha256: string }>

/** A file made by `docker save`: the image's id (digest of its configuration) and the digests of its unpacked layers. */
export type LocalImage = Readonly<{ file: string; imageId: string; layers: readonly string[] }>

/** A secret that the operator hands in. `reveal` gives the value; printing or serialising this shows the fingerprint at most. */
export type ProvidedSecret = Readonly<{ sha256: string; reveal: () => string }>

/** Standard input for a command that receives the file; it is opened when the command runs. */
export function openFile(file: string): Stdin {
  return { open: () => createReadStream(file) }
}

/** `version` is the package's version and 12 hex digits of the content; `manifest` is in sha256sum's format, sorted by path. */
export type ReleasePack = Readonly<{
  version: string
  manifest: string
  /** A gzipped tar of the files named in the manifest. */
  open: () => AsyncIterable<Uint8Array>
}>
