/** The Merkle hash tree of RFC 6962, section 2.1: its root while it grows, and proofs that a leaf is in it. */
import { hash } from 'node:crypto'

/** A node's hash is over a byte and two hashes. */
const HASH_BYTES = 32
const NODE_BYTES = 1 + 2 * HASH_BYTES

/** Longer leaves get a buffer of their own. */
const LEAF_BYTES = 16 * 1024
const leafBuffer = Buffer.alloc(1 + LEAF_BYTES)
const nodeBuffer = Buffer.alloc(NODE_BYTES, 1)

/** As a string of bytes a hash comes out of OpenSSL in half the time that it takes as a Buffer. */
function hashOf(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'latin1'), 'latin1')
}

/** The hash of a leaf. */
export function leafHash(data: string): Buffer {
  // A character is three bytes at most. Two strings put together would be copied once more.
  if (data.length * 3 > LEAF_BYTES) return hash('sha256', `\0${data}`, 'buffer')
  return hashOf(leafBuffer.subarray(0, 1 + leafBuffer.write(data, 1)))
}

/** The hash of a node above two hashes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeBuffer.set(left, 1)
  nodeBuffer.set(right, 1 + HASH_BYTES)
  return hashOf(nodeBuffer)
}

/** The root of a tree without leaves. */
export function emptyRoot(): Buffer {
  return hash('sha256', '', 'buffer')
}

/**
 * A tree that only grows: it holds one hash for each complete subtree, thirty at a billion leaves. Appending costs two
 * hashes on average.
 */
export class GrowingTree {
  #size = 0
  /** Roots of the complete subtrees, the largest first: one for each bit of the size that is set. */
  readonly #subtrees: Buffer[] = []

  /** Leaves so far. */
  get size(): number {
    return this.#size
  }

  /** Appends the hash of a leaf. */
  append(leaf: Buffer): void {
    let node = leaf
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2))
      node = nodeHash(this.#subtrees.pop() as Buffer, node)
    this.#subtrees.push(node)
    this.#size += 1
  }

  /** The root of all leaves so far. */
  root(): Buffer {
    if (this.#size === 0) return emptyRoot()
    return this.#subtrees.reduceRight((right, left) => nodeHash(left, right))
  }
}

/** Returns the root of a tree of these leaves' hashes. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  const tree = new GrowingTree()
  for (const leaf of leaves) tree.append(leaf)
  return tree.root()
}

/**
 * Returns the proof (RFC 6962, section 2.1.1) that the leaf at `index` (from 0) is among `leaves`: from its sibling up to the
 * root's child.
 */
export function inclusionProof(leaves: readonly Buffer[], index: number): readonly Buffer[] {
  if (leaves.length <= 1) return []
  const split = splitOf(leaves.length)
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)]
  return index < split
    ? [...inclusionProof(left, index), rootOf(right)]
    : [...inclusionProof(right, index - split), rootOf(left)]
}

/** Returns the root that a proof leads to for the leaf at `index` of `size`; undefined when it has not the right length. */
export function rootFromProof(
  leaf: Buffer,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
): Buffer | undefined {
  if (size === 1) return proof.length === 0 ? leaf : undefined
  const sibling = proof.at(-1)
  if (sibling === undefined) return undefined
  const split = splitOf(size)
  const below = proof.slice(0, -1)
  if (index < split) {
    const left = rootFromProof(leaf, index, split, below)
    return left && nodeHash(left, sibling)
  }
  const right = rootFromProof(leaf, index - split, size - split, below)
  return right && nodeHash(sibling, right)
}

/** The largest power of two below a size of at least two. */
function splitOf(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}
