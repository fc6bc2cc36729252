/** Signed notes (c2sp.org/signed-note) with Ed25519: text that one key has signed. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { bytesOfBase64 } from '../../contract/base64.ts'

/** The signature type Ed25519. */
const ED25519 = 0x01
const PUBLIC_KEY_BYTES = 32
const SIGNATURE_LINE = /^\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})$/

/** What stands before the key in `name+id+key`. Base64 has plus signs, too. */
const VERIFIER_KEY_HEAD = /^[^\s+]+\+[0-9a-f]{8}\+/

/** Ed25519's SubjectPublicKeyInfo begins so (RFC 8410); the key follows. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** Who signs: a private Ed25519 key, and the 32 bytes of its public one. */
export type NoteSigner = Readonly<{ privateKey: KeyObject; publicKey: Buffer }>

/** Creates a signer from a private key in PEM. */
export function createNoteSigner(pem: string): NoteSigner {
  const privateKey = createPrivateKey(pem)
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return { privateKey, publicKey: spki.subarray(-PUBLIC_KEY_BYTES) }
}

/**
 * Signs a text under a key name (no blanks, no plus). The text gets a line end when it has none. Returns the note.
 */
export function signNote({ privateKey, publicKey }: NoteSigner, name: string, text: string): string {
  const lines = text.endsWith('\n') ? text : `${text}\n`
  const signature = Buffer.concat([keyId(name, publicKey), sign(null, Buffer.from(lines), privateKey)])
  return `${lines}\n\u2014 ${name} ${signature.toString('base64')}\n`
}

/** Returns the text of a note when the key has signed it under that name; undefined otherwise. */
export function openNote(note: string, name: string, publicKey: Uint8Array): string | undefined {
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) return undefined
  const text = note.slice(0, end + 1)
  const id = keyId(name, publicKey)
  const signatures = note
    .slice(end + 2, -1)
    .split('\n')
    .map((line) => SIGNATURE_LINE.exec(line))
  const own = signatures.flatMap((match) => {
    const bytes = match?.[1] === name ? bytesOfBase64(match[2] as string) : undefined
    return bytes?.subarray(0, 4).equals(id) ? [bytes.subarray(4)] : []
  })
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
  const isSigned = own.length > 0 && own.every((signature) => verify(null, Buffer.from(text), key, signature))
  return isSigned ? text : undefined
}

/** The key as checkers of notes take it: `name+id+key`. */
export function verifierKey(name: string, publicKey: Uint8Array): string {
  const key = Buffer.concat([Buffer.of(ED25519), publicKey]).toString('base64')
  return `${name}+${keyId(name, publicKey).toString('hex')}+${key}`
}

/** Returns the 32 bytes of a key that is given as `name+id+key`, as PEM, or as base64 of them; undefined for anything else. */
export function readPublicKey(text: string): Buffer | undefined {
  const given = text.trim()
  if (given.includes('BEGIN')) return publicKeyOfPem(given)
  const bytes = Buffer.from(given.replace(VERIFIER_KEY_HEAD, ''), 'base64')
  if (bytes.length === PUBLIC_KEY_BYTES + 1 && bytes[0] === ED25519) return bytes.subarray(1)
  return bytes.length === PUBLIC_KEY_BYTES ? bytes : undefined
}

function publicKeyOfPem(pem: string): Buffer | undefined {
  try {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType !== 'ed25519') return undefined
    return key.export({ type: 'spki', format: 'der' }).subarray(-PUBLIC_KEY_BYTES)
  } catch {
    return undefined
  }
}

function keyId(name: string, publicKey: Uint8Array): Buffer {
  const hash = createHash('sha256').update(`${name}\n`).update(Buffer.of(ED25519)).update(publicKey).digest()
  return hash.subarray(0, 4)
}
