/** A store in memory, for tests of copies. */
import type { BackupStore } from '../../../server/copies/store.ts'

/** Every version of every object, the newest last. `cut` is asked before and after each change; what it throws is a cut. */
export const memoryStore = (cut: (when: 'before' | 'after', name: string) => void = () => {}) => {
  const objects = new Map<string, Uint8Array[]>()
  const sent: string[] = []
  const store: BackupStore = {
    add: async (name, bytes) => {
      cut('before', name)
      sent.push(name)
      const isTaken = objects.has(name)
      if (!isTaken) objects.set(name, [Buffer.from(bytes)])
      cut('after', name)
      return isTaken ? 'taken' : 'added'
    },
    read: async (name) => objects.get(name)?.at(-1),
    readEarlier: async function* (name) {
      yield* (objects.get(name) ?? []).toReversed()
    },
    list: async (beginning) =>
      [...objects]
        .filter(([name]) => name.startsWith(beginning))
        .map(([name, versions], index) => ({ name, bytes: versions.at(-1)?.length ?? 0, modifiedMs: index })),
    close: async () => undefined,
  }
  return { objects, sent, store }
}
