/**
 * The key that backups are sealed to: an X25519 pair in the form of age (https://age-encryption.org/v1), so that its own tools open them too.
 * A host knows the public half (`age1…`) only; the private one (`AGE-SECRET-KEY-1…`) is made and kept elsewhere.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { bech32 } from '@scure/base'

/** Both halves as age writes them. */
export type RecoveryPair = Readonly<{ recipient: string; identity: string }>

const RECIPIENT_PREFIX = 'age'
const IDENTITY_PREFIX = 'age-secret-key-'
const KEY_BYTES = 32

/** What stands before the 32 bytes of a private X25519 key in PKCS#8 (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')

/** Returns the 32 bytes that a text holds under a prefix; undefined for a wrong checksum, another prefix, or another length. */
function keyBytes(text: string, prefix: string): Buffer | undefined {
  const decoded = bech32.decodeUnsafe(text)
  if (decoded === undefined || decoded.prefix !== prefix) return undefined
  try {
    const bytes = bech32.fromWords(decoded.words)
    return bytes.length === KEY_BYTES ? Buffer.from(bytes) : undefined
  } catch {
    return undefined
  }
}

/** Returns the public half (`age1…`, in lower case as age writes it) without blanks around it; undefined for anything else. */
export function parseRecipient(text: string): string | undefined {
  const given = text.trim()
  return given.startsWith(`${RECIPIENT_PREFIX}1`) && keyBytes(given, RECIPIENT_PREFIX) ? given : undefined
}

/** What is sealed to one key, or to two while one takes the place of the other: public halves with a comma between them. Undefined for anything else. */
export function parseRecipients(text: string): string | undefined {
  const given = text.split(',').map(parseRecipient)
  const isOneOrTwo = given.length <= 2 && new Set(given).size === given.length && !given.includes(undefined)
  return isOneOrTwo ? given.join(',') : undefined
}

/** Returns a public half as it is shown in a row: the end is enough to tell a few keys apart. */
export function shortRecipient(recipients: string): string {
  return recipients
    .split(',')
    .map((recipient) => `${RECIPIENT_PREFIX}1…${recipient.slice(-8)}`)
    .join(' and ')
}

/**
 * Returns the pair of a private half: of the text of a key file as `age-keygen` and the toolkit write it (one line that is no
 * comment), or of the key alone. Undefined for anything else.
 */
export function parseIdentity(text: string): RecoveryPair | undefined {
  const [line = '', ...others] = text
    .split('\n')
    .map((each) => each.trim())
    .filter((each) => each !== '' && !each.startsWith('#'))
  const secret = others.length === 0 && line === line.toUpperCase() ? keyBytes(line, IDENTITY_PREFIX) : undefined
  if (secret === undefined) return undefined
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, secret]), format: 'der', type: 'pkcs8' })
  return recoveryPair(key)
}

/** Returns the pairs of a file with one private half or several, a line each, as age takes it. Undefined for anything else. */
export function parseIdentities(text: string): readonly RecoveryPair[] | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'))
  const pairs = lines.flatMap((line) => parseIdentity(line) ?? [])
  return pairs.length > 0 && pairs.length === lines.length ? pairs : undefined
}

/** Returns why what is sealed to these keys is not opened by these private halves, a line each; undefined: it is, or the file does not say what it is sealed to. */
export function recoveryKeyProblem(sealedTo: string | null | undefined, identities: string): string | undefined {
  const own = (parseIdentities(identities) ?? []).map(({ recipient }) => recipient)
  if (!sealedTo || sealedTo.split(',').some((recipient) => own.includes(recipient))) return undefined
  const wanted = sealedTo.split(',').join(' or ')
  return `sealed to the recovery key ${wanted}, and the one that was given is ${own.join(', ')}: give that one; a file may have both, a line each`
}

/** Returns both halves of a private X25519 key. */
export function recoveryPair(key: KeyObject): RecoveryPair {
  const secret = key.export({ format: 'der', type: 'pkcs8' }).subarray(-KEY_BYTES)
  const open = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES)
  const write = (prefix: string, bytes: Buffer): string => bech32.encodeFromBytes(prefix, bytes)
  return { recipient: write(RECIPIENT_PREFIX, open), identity: write(IDENTITY_PREFIX, secret).toUpperCase() }
}
