/** Whether the permissions of a folder of programs are safe: only its owner (root) may write, and everybody may read. */
import type { Fact } from '../core/host.ts'

/** A find(1) expression for use in a script: writable by others, not readable by all, or owned by another account than the current one (root). */
export const UNSAFE_PERMISSIONS = String.raw`! -type l \( -perm /022 -o ! -perm -444 -o -type d ! -perm -111 -o ! -uid "$(id -u)" \) -print -quit`

/** The first file or folder at or below the path with unsafe permissions; undefined: none, or the path is absent. */
export function unsafePathFact(path: string): Fact<string | undefined> {
  return {
    query: {
      argv: ['sh', '-c', `find "$1" ${UNSAFE_PERMISSIONS} 2>/dev/null`, 'sh', path],
      effect: 'read',
      isLong: true,
    },
    parse: ({ stdout }) => stdout.trim() || undefined,
  }
}
