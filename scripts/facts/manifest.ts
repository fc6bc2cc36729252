/** Whether a folder is what its manifest says. */
import type { Fact } from '../core/host.ts'
import { UNSAFE_PERMISSIONS } from './permission.ts'

/** The name of the manifest in its folder, in the format of sha256sum. */
export const MANIFEST_NAME = '.manifest'

/**
 * Whether every file of the manifest has its digest, there are no other files or links (a stray file in a folder of steps would be
 * loaded), only the owner (root) may write, and all may read.
 */
export function isIntactFact(path: string): Fact<boolean> {
  return {
    query: {
      argv: [
        'sh',
        '-c',
        // A dot for each file, and a path for what is not safe.
        `cd "$1" 2>/dev/null && sha256sum -c --status "$2" && seen=$(find . \\( ${UNSAFE_PERMISSIONS} \\) , ! -type d -printf .) &&
[ "\${#seen}" = "$(( $(wc -l <"$2") + 1 ))" ] && case $seen in *[!.]*) ;; *) echo intact ;; esac`,
        'sh',
        path,
        MANIFEST_NAME,
      ],
      effect: 'read',
      isLong: true,
    },
    parse: ({ stdout }) => stdout.trim() === 'intact',
  }
}
