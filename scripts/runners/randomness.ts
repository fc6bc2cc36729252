/** Randomness of the operating system. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Randomness } from '../secrets/secret-generation.ts'

/** Bytes, and private keys as PEM (PKCS #8). */
export const SYSTEM_RANDOMNESS: Randomness = {
  bytes: randomBytes,
  signingKey: () =>
    generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey,
  checkpointKey: () =>
    generateKeyPairSync('ed25519', {
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey,
}
