/** A release as the controller has it: its version, what it consists of, and its bytes on demand. */

/** `version` is the package's version and 12 hex digits of the content; `manifest` is in sha256sum's format, sorted by path. */
export type ReleasePack = Readonly<{
  version: string
  manifest: string
  /** A gzipped tar of the files named in the manifest. */
  open: () => AsyncIterable<Uint8Array>
}>
