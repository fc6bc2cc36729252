/** An unpacked archive of programs: downloaded on the host or sent from the controller, checked before it is unpacked. */
import type { LocalFile } from '../core/local-file.ts'
import type { Resource } from '../core/resource.ts'

/** What to download for each platform (`linux-x64`, `linux-arm64`). */
export type Downloads = Readonly<Record<string, Readonly<{ url: string; sha256: string }>>>

/**
 * A gzipped tar unpacked at `path` without its first `strip` path components (tar's --strip-components).
 * `link` is switched to `path` afterwards. `executable`, relative to `path`, must exist for the archive to count as there.
 */
export type ArchiveOptions = Readonly<{
  source: Readonly<{ downloads: Downloads }> | LocalFile
  path: string
  strip?: number
  link?: string
  executable?: string
}>

/** Unpacked beside its place and renamed, so that `path` is whole or absent. */
export const archive = (options: ArchiveOptions): Resource => {
  throw new Error(`not written yet: ${options.path}`)
}
