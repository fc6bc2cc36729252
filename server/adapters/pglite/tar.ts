/**
 * Reads a tar archive (POSIX ustar, as PGlite writes it): folders and plain files, nothing else. Does no I/O. Not by a
 * library: modern-tar takes 30 ms for the template of a database (this 9 ms) and copies its 40 MB (this none).
 */

/** One entry; `path` is relative, with slashes. */
export type TarEntry = Readonly<{ path: string; content: Uint8Array } | { path: string; content: undefined }>

/** Header and content are padded to blocks of this many bytes. */
const BLOCK = 512

/**
 * Returns the entries in order; `content` is undefined for a folder. Throws on a truncated archive or another type of
 * entry.
 */
export function readTar(archive: Uint8Array): readonly TarEntry[] {
  const entries: TarEntry[] = []
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0; ) {
    const path = textAt(archive, at, 100).replace(/^\.?\/+/, '')
    const size = Number.parseInt(textAt(archive, at + 124, 12).trim(), 8)
    const kind = String.fromCharCode(archive[at + 156] ?? 0)
    const begin = at + BLOCK
    if (!Number.isInteger(size) || begin + size > archive.length) throw new Error(`tar: ${path} is cut short`)
    if (path.split('/').includes('..')) throw new Error(`tar: ${path} leads out of the archive`)
    if (kind === '5') entries.push({ path, content: undefined })
    else if (kind === '0' || kind === '\0') entries.push({ path, content: archive.subarray(begin, begin + size) })
    else throw new Error(`tar: ${path} is of kind "${kind}", which is neither file nor folder`)
    at = begin + Math.ceil(size / BLOCK) * BLOCK
  }
  return entries
}

function textAt(archive: Uint8Array, at: number, length: number): string {
  const field = archive.subarray(at, at + length)
  const end = field.indexOf(0)
  return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end))
}
