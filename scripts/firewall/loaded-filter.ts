/** The packet filter that is loaded: whether the kernel's rules are those that were loaded last. */
import { HOST_PATH } from '../../contract/path.ts'
import type { Fact } from '../core/host.ts'

/** Our table. */
export const FILTER_TABLE = 'tappass'

/**
 * `absent`: there is no table; `loaded`: it is as it was after it was loaded; `edited`: somebody changed it since. `digest` is that of the file
 * that was loaded.
 */
export type LoadedFilter = Readonly<{ state: 'absent' | 'loaded' | 'edited'; digest: string | undefined }>

/** The unit wrote the digests of its file and of the rules (without counters and the elements of sets, which follow names) when it loaded them. */
const SCRIPT = `PATH=$PATH:/usr/sbin
now=$(nft -s -t list table inet ${FILTER_TABLE} 2>/dev/null) || exit 0
echo "now $(printf '%s' "$now" | sha256sum | cut -c1-64)"
cat '${HOST_PATH.loadedPacketFilter}' 2>/dev/null
exit 0`

/** Which packet filter of ours the kernel has. */
export const loadedFilterFact: Fact<LoadedFilter> = {
  query: { argv: ['sh', '-c', SCRIPT], effect: 'read' },
  parse: ({ stdout }) => {
    const value = new Map(stdout.split('\n').map((row) => row.split(' ') as [string, string]))
    const now = value.get('now')
    if (now === undefined) return { state: 'absent', digest: undefined }
    return { state: now === value.get('rules') ? 'loaded' : 'edited', digest: value.get('file') }
  },
}
