/** Seals bytes to the public half of a recovery key, and opens them with the private one, in the format of age (https://age-encryption.org/v1). */
import { Decrypter, Encrypter } from 'age-encryption'

/** Encrypts a stream of bytes to `recipient` (`age1…`; of two with a comma between them each opens it). What it yields is one age file. Throws when it is no recipient. */
export async function* encryptTo(recipient: string, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const encrypter = new Encrypter()
  for (const each of recipient.split(',')) encrypter.addRecipient(each)
  yield* await encrypter.encrypt(ReadableStream.from(source))
}

/**
 * Decrypts an age file with `identity` (`AGE-SECRET-KEY-1…`; of several, a line each, one has to fit). Throws when it is sealed to another key, or as soon as a piece was changed; a file that was
 * cut throws at its end, so what came before counts only when the stream has ended.
 */
export async function* decryptWith(identity: string, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decrypter = new Decrypter()
  for (const each of identity.split('\n')) decrypter.addIdentity(each)
  yield* await decrypter.decrypt(ReadableStream.from(source))
}
