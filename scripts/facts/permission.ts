/** Whether a folder of programs is guarded: only its owner may write in it, and everybody may read. */
import type { Fact } from '../core/host.ts'

/** For find(1), inside a script: what others may write, what not all may read, and what belongs to another than who asks (root). */
export const unguarded = String.raw`! -type l \( -perm /022 -o ! -perm -444 -o -type d ! -perm -111 -o ! -uid "$(id -u)" \) -print -quit`

/** The first file or folder at or below the path that is not; undefined where all are, or none is there. */
export function unguardedFact(path: string): Fact<string | undefined> {
  return {
    ask: { argv: ['sh', '-c', `find "$1" ${unguarded} 2>/dev/null`, 'sh', path], effect: 'read' },
    parse: ({ stdout }) => stdout.trim() || undefined,
  }
}
