/** A key that signs checkpoints, and what signs the head of a ledger at once. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { systemClock } from '../../../server/adapters/system.ts'
import { type CheckpointStore, createCheckpointer } from '../../../server/checkpoint/checkpointer.ts'
import { createNoteSigner, type NoteSigner } from '../../../server/checkpoint/signed-note.ts'
import type { Ledger } from '../../../server/core/ports.ts'

/** A new key: its private and its public half in PEM, and what signs with it. */
export type SigningKey = Readonly<{ privatePem: string; publicPem: string; signer: NoteSigner }>

/** Makes a key. */
export function createSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  return { privatePem: privateKey, publicPem: publicKey, signer: createNoteSigner(privateKey) }
}

/** Returns what signs the head of a ledger each time that it is called. */
export function createSigning(
  ledger: Pick<Ledger, 'head'>,
  signer: NoteSigner,
  ...stores: readonly CheckpointStore[]
): () => Promise<void> {
  const { sign } = createCheckpointer({
    ledger,
    signer,
    stores,
    clock: systemClock,
    clockState: async () => 'a test',
    onFailure: (place, cause) => assert.fail(`${place}: ${String(cause)}`),
  })
  return sign
}
