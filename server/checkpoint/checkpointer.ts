/**
 * Signs how far this process's chain has come: once a second while something is written, at its start and at its end. Each
 * checkpoint is stored in several places, so that the database alone can't be made to forget one.
 */
import type { Clock, Ledger } from '../core/ports.ts'
import { type Checkpoint, signCheckpoint } from './checkpoint.ts'
import type { NoteSigner } from './signed-note.ts'

/** A place for checkpoints. Throws when it can't store one. */
export type CheckpointStore = Readonly<{ name: string; save: (checkpoint: Checkpoint, note: string) => Promise<void> }>

/** Where the time comes from, and how far it is off, as one line: `chrony 0.4 ms`. */
export type ClockState = () => Promise<string>

/** What a checkpointer needs. `onFailure` is called with a place that could not store one; it is tried again. */
export type CheckpointerOptions = Readonly<{
  ledger: Pick<Ledger, 'head'>
  signer: NoteSigner
  stores: readonly CheckpointStore[]
  clock: Clock
  clockState: ClockState
  onFailure: (place: string, cause: unknown) => void
}>

/** Signs and stores. */
export type Checkpointer = Readonly<{
  /** Signs the head, when it is another one than at the last time. */
  sign: () => Promise<void>
  /** Seconds since an entry was written that no stored checkpoint covers; 0 when there is none. */
  overdueSeconds: () => number
  /** When the last one was stored everywhere (milliseconds since 1970); undefined before the first. */
  lastMs: () => number | undefined
}>

/** Creates a checkpointer. */
export function createCheckpointer(options: CheckpointerOptions): Checkpointer {
  const { ledger, clock } = options
  let signed = ''
  let coveredMs = clock.elapsedMs()
  let lastMs: number | undefined
  let signing: Promise<void> | undefined
  const isCovered = (): boolean => {
    const head = ledger.head()
    return head === undefined || placeOf(head) === signed
  }
  const signHead = async (): Promise<void> => {
    const atMs = clock.elapsedMs()
    const head = ledger.head()
    if (head !== undefined && placeOf(head) !== signed) {
      if (!(await signAndStore(options, head))) return
      signed = placeOf(head)
      lastMs = clock.nowMs()
    }
    coveredMs = atMs
  }
  return {
    sign: async () => {
      await signing
      signing = signHead().finally(() => {
        signing = undefined
      })
      await signing
    },
    lastMs: () => lastMs,
    overdueSeconds: () => (isCovered() ? 0 : (clock.elapsedMs() - coveredMs) / 1000),
  }
}

type Head = NonNullable<ReturnType<Ledger['head']>>

function placeOf({ chain, seq }: Head): string {
  return `${chain} ${seq}`
}

/** Returns whether every place has stored it. */
async function signAndStore(
  { signer, stores, clock, clockState, onFailure }: CheckpointerOptions,
  { chain, seq, hash, root }: Head,
): Promise<boolean> {
  const time = new Date(clock.nowMs()).toISOString()
  const state = await clockState().catch(() => 'unknown')
  const checkpoint: Checkpoint = { chain, size: seq, root: Buffer.from(root), head: hash, time, clock: state }
  const note = signCheckpoint(signer, checkpoint)
  const stored = await Promise.all(
    stores.map(({ name, save }) =>
      save(checkpoint, note).then(
        () => true,
        (cause: unknown) => {
          onFailure(name, cause)
          return false
        },
      ),
    ),
  )
  return stored.every((isStored) => isStored)
}
