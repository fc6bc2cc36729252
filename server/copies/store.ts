/** The port to where copies of backups go: a store that takes whole objects under names of their own, and gives them back. */

/** `modifiedMs` is the store's own clock. */
export type StoredObject = Readonly<{ name: string; bytes: number; modifiedMs: number }>

/**
 * A store. Nothing here deletes or replaces: the credentials of a host need not be able to. An object has some megabytes at most, so it is
 * one request, and one buffer.
 */
export type BackupStore = Readonly<{
  /** Adds an object; `taken`: there is something under that name, which stays as it is. */
  add: (name: string, bytes: Uint8Array) => Promise<'added' | 'taken'>
  /** Returns the bytes under a name; undefined: nothing is there. */
  read: (name: string) => Promise<Uint8Array | undefined>
  /** Returns earlier bytes of that name, where the store keeps what was overwritten or deleted; the newest first. */
  readEarlier: (name: string) => AsyncIterable<Uint8Array>
  /** Returns all objects whose name begins so, by name. */
  list: (beginning: string) => Promise<readonly StoredObject[]>
  close: () => Promise<void>
}>

/** What a store did not do, in a sentence that holds no secret. `refused`: these credentials may not; `away`: no answer in time. */
export class StoreFailure extends Error {
  readonly kind: 'refused' | 'away' | 'full' | 'changed' | 'failed'

  constructor(kind: StoreFailure['kind'], message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'StoreFailure'
    this.kind = kind
  }
}
