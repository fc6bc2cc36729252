/** A public key of SSH as one line of a `.pub` file: type, key, comment. Nothing else is taken, least of all a private key. */

const KEY_CHARS_MAX = 8192
const RSA_BITS_MIN = 2048
const LINE = /^(?<type>[a-z0-9@.-]+) +(?<key>[A-Za-z0-9+/]+={0,2})(?: +(?<comment>\S.*))?$/

const ED25519_BYTES = 32
/** Bytes of a point on the curve: 0x04, and two coordinates. */
const POINT_BYTES: Readonly<Record<string, number>> = { nistp256: 65, nistp384: 97, nistp521: 133 }

/** Splits the wire format (RFC 4251) into its strings; undefined where a length points beyond the end. */
function fieldsOf(bytes: Buffer): readonly Buffer[] | undefined {
  const fields: Buffer[] = []
  for (let start = 0; start < bytes.length; ) {
    if (start + 4 > bytes.length) return undefined
    const end = start + 4 + bytes.readUInt32BE(start)
    if (end > bytes.length) return undefined
    fields.push(bytes.subarray(start + 4, end))
    start = end
  }
  return fields
}

type Check = (fields: readonly Buffer[]) => boolean

const isEd25519: Check = ([key]) => key?.length === ED25519_BYTES
const isCurve =
  (name: string): Check =>
  ([curve, point]) =>
    curve?.toString('latin1') === name && point?.length === POINT_BYTES[name] && point?.[0] === 4

function bitsOf(number: Buffer): number {
  const start = number.findIndex((byte) => byte !== 0)
  return start < 0 ? 0 : (number.length - start) * 8 - (Math.clz32(number[start] ?? 0) - 24)
}

/** By type: how many strings follow it, and whether they are such a key. */
const TYPES: Readonly<Record<string, Readonly<{ fields: number; isKey: Check }>>> = {
  'ssh-ed25519': { fields: 1, isKey: isEd25519 },
  'ssh-rsa': { fields: 2, isKey: ([, modulus]) => modulus !== undefined && bitsOf(modulus) >= RSA_BITS_MIN },
  'ecdsa-sha2-nistp256': { fields: 2, isKey: isCurve('nistp256') },
  'ecdsa-sha2-nistp384': { fields: 2, isKey: isCurve('nistp384') },
  'ecdsa-sha2-nistp521': { fields: 2, isKey: isCurve('nistp521') },
  'sk-ssh-ed25519@openssh.com': { fields: 2, isKey: isEd25519 },
  'sk-ecdsa-sha2-nistp256@openssh.com': { fields: 3, isKey: isCurve('nistp256') },
}

function problemOfKey(type: string, key: string): string | undefined {
  const known = TYPES[type]
  if (known === undefined) return `must be of one of the types ${Object.keys(TYPES).join(', ')}`
  const bytes = Buffer.from(key, 'base64')
  const [name, ...fields] = fieldsOf(bytes) ?? []
  const isWhole =
    bytes.toString('base64') === key && name?.toString('latin1') === type && fields.length === known.fields
  if (!isWhole) return `is not a whole ${type} key: part of it is missing, or it is of another type`
  if (known.isKey(fields)) return undefined
  return type === 'ssh-rsa' ? `must have at least ${RSA_BITS_MIN} bits` : `is not a valid ${type} key`
}

/** Returns what is wrong with a public key, without repeating it; undefined when it is right. */
export function problemOfPublicKey(text: string): string | undefined {
  if (text.includes('PRIVATE KEY')) {
    return 'is a private key, which must not leave its owner (make a new one, this one was written down): give the line of the .pub file'
  }
  const line = text.trim()
  if (/\p{Cc}/u.test(line)) return 'must be one line: each key is an entry of the list'
  if (line.length > KEY_CHARS_MAX) return `must have at most ${KEY_CHARS_MAX} characters`
  const parts = LINE.exec(line)?.groups
  if (parts === undefined)
    return 'must be the line of a .pub file, such as "ssh-ed25519 AAAA… ada@laptop", without options'
  return problemOfKey(parts['type'] ?? '', parts['key'] ?? '')
}

/** Returns a right key in one form, whatever blanks are in it. */
export function publicKeyLine(text: string): string {
  const { type, key, comment } = LINE.exec(text.trim())?.groups ?? {}
  return [type, key, ...(comment === undefined ? [] : [comment])].join(' ')
}
