/**
 * Checkpoints (c2sp.org/tlog-checkpoint): how far a chain had come, signed. Each chain is a log of its own, whose leaves are
 * the texts of its entries, in their order.
 */
import { type NoteSigner, openNote, signNote } from './signed-note.ts'

/** What a checkpoint says. `head` is the hash of the last entry; `clock` where the time comes from, and how far it is off. */
export type Checkpoint = Readonly<{
  chain: string
  size: number
  root: Buffer
  head: string
  time: string
  clock: string
}>

/** Before the name of a chain in the origin of its log. */
const ORIGIN = 'tappass/'

const TEXT =
  /^tappass\/([A-Za-z0-9._-]{1,128})\n([1-9]\d{0,14})\n([A-Za-z0-9+/]{43}=)\nhead ([0-9a-f]{64})\ntime (\S{20,30})\nclock ([^\n]{1,200})\n$/

/** The origin of a chain's log, and the name under which its checkpoints are signed. */
export function originOf(chain: string): string {
  return ORIGIN + chain
}

/** Signs a checkpoint. Returns the note. */
export function signCheckpoint(signer: NoteSigner, { chain, size, root, head, time, clock }: Checkpoint): string {
  const lines = [originOf(chain), size, root.toString('base64'), `head ${head}`, `time ${time}`, `clock ${clock}`]
  return signNote(signer, originOf(chain), lines.join('\n'))
}

/** Returns what a note says when the key has signed it and it is a checkpoint of ours; undefined otherwise. */
export function readCheckpoint(note: string, publicKey: Uint8Array): Checkpoint | undefined {
  const origin = note.slice(0, note.indexOf('\n'))
  const match = TEXT.exec(openNote(note, origin, publicKey) ?? '')
  if (!match) return undefined
  const [, chain, size, root, head, time, clock] = match as unknown as readonly [string, ...string[]]
  return {
    chain: chain as string,
    size: Number(size),
    root: Buffer.from(root as string, 'base64'),
    head: head as string,
    time: time as string,
    clock: clock as string,
  }
}

/** The same of a note that one of several keys has signed: keys are replaced, and what older ones have signed stays. */
export function readCheckpointOfAny(note: string, publicKeys: readonly Uint8Array[]): Checkpoint | undefined {
  for (const key of publicKeys) {
    const checkpoint = readCheckpoint(note, key)
    if (checkpoint) return checkpoint
  }
  return undefined
}
