/** Whether a set that was fetched is what a host has signed: signature of the manifest, and the digest of each file. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { unpackTar } from 'modern-tar'
import { recoveryKeyProblem } from '../../contract/recovery-key.ts'
import { credentialId } from '../../contract/secret.ts'
import { type BackupManifest, isSignedBy, parseManifest, SET_FILE } from '../backups/manifest.ts'
import { fileDigest } from '../backups/set-file.ts'
import { readPublicKey } from '../checkpoint/signed-note.ts'
import { openPart } from './sealed-part.ts'

/** The public half of the key that the host signs with, from the secrets in the set; undefined where the set has none. */
async function sealedKey(folder: string, identity: string): Promise<Uint8Array | undefined> {
  const path = join(folder, SET_FILE.secrets)
  if (!existsSync(path)) return undefined
  const { recipient } = parseManifest(await readFile(join(folder, SET_FILE.manifest), 'utf8')) ?? {}
  const problem = recoveryKeyProblem(recipient, identity)
  if (problem !== undefined) throw new Error(`${SET_FILE.secrets} of the set is ${problem}`)
  const tar = await openPart(identity, await readFile(path))
  const members = await unpackTar(new Uint8Array(tar))
  const found = members.find(({ header }) => header.name === credentialId('TAPPASS_CHECKPOINT_KEY'))
  if (found?.data === undefined) return undefined
  const key = createPublicKey(createPrivateKey(Buffer.from(found.data).toString()))
  return key.export({ format: 'der', type: 'spki' }).subarray(-32)
}

/** The keys that have to have signed a set: those that are given as texts, or the one that is sealed in it. Throws without any. */
export async function signingKeys(
  folder: string,
  identity: string,
  keys: readonly string[],
): Promise<readonly Uint8Array[]> {
  const given = keys.map(readPublicKey)
  if (given.includes(undefined))
    throw new Error('that is no public Ed25519 key: give PEM, base64 of 32 bytes, or name+id+key')
  const own = given.length > 0 ? undefined : await sealedKey(folder, identity)
  const known = [...given, own].filter((key) => key !== undefined)
  if (known.length === 0) throw new Error('the set holds no key to check its signature with: give --key FILE')
  return known
}

/** Throws unless one of the keys has signed the manifest of that set. `keys` are texts; without any, the key that is sealed in the set counts. */
async function signedManifest(
  folder: string,
  set: string,
  identity: string,
  keys: readonly string[],
): Promise<BackupManifest> {
  const [text, signature] = await Promise.all(
    [SET_FILE.manifest, SET_FILE.signature].map((name) => readFile(join(folder, name), 'utf8')),
  )
  const manifest = parseManifest(text ?? '')
  if (manifest === undefined) throw new Error(`${SET_FILE.manifest} is not one of format 2: it is of a newer release`)
  const known = await signingKeys(folder, identity, keys)
  if (manifest.name === set && isSignedBy(known, set, text ?? '', signature ?? '')) return manifest
  throw new Error(`the manifest of ${set} is not signed by that key, or was changed`)
}

/** Verifies a set. Returns the number of files that are as the manifest says; one that is not is deleted, so that it is fetched again. */
export async function verifySet(
  folder: string,
  set: string,
  identity: string,
  keys: readonly string[],
): Promise<number> {
  const { files } = await signedManifest(folder, set, identity, keys)
  for (const { name, sha256 } of files) {
    const path = join(folder, name)
    if (existsSync(path) && (await fileDigest(path)) === sha256) continue
    await rm(path, { force: true })
    throw new Error(`${name} is not what the manifest says: it was deleted here; fetch it again`)
  }
  return files.length
}
