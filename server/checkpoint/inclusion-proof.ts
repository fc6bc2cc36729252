/** Proofs in the format c2sp.org/tlog-proof@v1: that one entry is in a chain, under a signed checkpoint. */
import { bytesOfBase64 } from '../../contract/base64.ts'
import { inclusionProof, leafHash, rootFromProof } from './merkle-tree.ts'

const HASH_BYTES = 32
const FIRST_LINE = 'c2sp.org/tlog-proof@v1'

/** Returns the proof for the entry at `index` (from 0), given the texts of the entries that the checkpoint (a note) covers. */
export function formatProof(entries: readonly string[], index: number, note: string): string {
  const path = inclusionProof(
    entries.map((entry) => leafHash(entry)),
    index,
  )
  const lines = [FIRST_LINE, `index ${index}`, ...path.map((hash) => hash.toString('base64')), '', note]
  return lines.join('\n')
}

/** What a proof leads to: the checkpoint, and the root for an entry's text. */
export type ReadProof = Readonly<{
  index: number
  note: string
  rootFor: (entry: string, size: number) => Buffer | undefined
}>

/** Reads a proof; undefined when it is none. */
export function readProof(text: string): ReadProof | undefined {
  const match =
    /^c2sp\.org\/tlog-proof@v1\n(?:extra [^\n]+\n)?index (0|[1-9]\d{0,14})\n((?:[^\n]+\n)*)\n([\s\S]+)$/.exec(text)
  if (!match) return undefined
  const [, index, path, note] = match as unknown as readonly [string, string, string, string]
  const hashes: Buffer[] = []
  for (const line of path.split('\n').slice(0, -1)) {
    const hash = bytesOfBase64(line)
    if (hash?.length !== HASH_BYTES) return undefined
    hashes.push(hash)
  }
  const rootFor = (entry: string, size: number): Buffer | undefined =>
    Number(index) < size ? rootFromProof(leafHash(entry), Number(index), size, hashes) : undefined
  return { index: Number(index), note, rootFor }
}
