/** A part of a file as it stands in a store: one age file, of bytes that fit into memory. */
import { decryptWith, encryptTo } from '../backups/recovery-key.ts'

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function gather(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

/** Seals bytes to a recipient; each time it gives others. */
export async function sealPart(recipient: string, bytes: Uint8Array): Promise<Uint8Array> {
  return await gather(encryptTo(recipient, once(bytes)))
}

/** What age's library says where no identity fits. */
const NO_MATCH = /no identity matched/

/** Opens what was sealed. Throws for another identity, and for bytes that were changed. */
export async function openPart(identity: string, bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await gather(decryptWith(identity, once(bytes)))
  } catch (error) {
    if (!NO_MATCH.test((error as Error).message)) throw error
    const what = 'it is sealed to another recovery key than the one that was given'
    throw new Error(`${what}: a backup of before a rotation needs the key of its time`, { cause: error })
  }
}
