/** Host certificates of OpenSSH (its PROTOCOL.certkeys): parsed, their signature verified, and judged as ssh(1) does. Pure. By hand: the SSH library has none. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { matchesGlob } from './known-hosts.ts'

/** `key` is the certified key and `authority` that of who signed, both as blobs. Times are seconds since 1970. */
export type HostCertificate = Readonly<{
  key: Buffer
  authority: Buffer
  isHost: boolean
  names: readonly string[]
  validAfter: bigint
  validBefore: bigint
  hasCriticalOptions: boolean
}>

/** The algorithms by which a server shows one. Of RSA keys there are none: the library can't ask for them. */
export const CERTIFICATE_ALGORITHMS = [
  'ssh-ed25519-cert-v01@openssh.com',
  'ecdsa-sha2-nistp256-cert-v01@openssh.com',
  'ecdsa-sha2-nistp384-cert-v01@openssh.com',
  'ecdsa-sha2-nistp521-cert-v01@openssh.com',
] as const

const SUFFIX = '-cert-v01@openssh.com'
const HOST_TYPE = 2

/** Reads the fields of a blob in order. Throws a `RangeError` at its end. */
class BlobReader {
  readonly #blob: Buffer
  position = 0

  constructor(blob: Buffer) {
    this.#blob = blob
  }

  integer(): number {
    this.position += 4
    return this.#blob.readUInt32BE(this.position - 4)
  }

  long(): bigint {
    this.position += 8
    return this.#blob.readBigUInt64BE(this.position - 8)
  }

  string(): Buffer {
    const [length, start] = [this.integer(), this.position]
    if (start + length > this.#blob.length) throw new RangeError('a string is longer than the blob')
    this.position += length
    return this.#blob.subarray(start, this.position)
  }

  isAtEnd(): boolean {
    return this.position === this.#blob.length
  }
}

function stringsIn(blob: Buffer): readonly string[] {
  const reader = new BlobReader(blob)
  const strings: string[] = []
  while (!reader.isAtEnd()) strings.push(reader.string().toString('utf8'))
  return strings
}

function blobOf(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(part.length)
      return [length, part]
    }),
  )
}

const CURVES: Readonly<Record<string, Readonly<{ crv: string; bytes: number; hash: string }>>> = {
  nistp256: { crv: 'P-256', bytes: 32, hash: 'sha256' },
  nistp384: { crv: 'P-384', bytes: 48, hash: 'sha384' },
  nistp521: { crv: 'P-521', bytes: 66, hash: 'sha512' },
}
const RSA_HASHES: Readonly<Record<string, string>> = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' }

/** Without the zero byte that keeps a number positive, or with as many as make it that long. */
function unsigned(number: Buffer, bytes = 0): Buffer {
  const first = number.findIndex((byte) => byte !== 0)
  const digits = first < 0 ? Buffer.alloc(0) : number.subarray(first)
  return Buffer.concat([Buffer.alloc(Math.max(0, bytes - digits.length)), digits])
}

const url = (bytes: Buffer): string => bytes.toString('base64url')

function keyFrom(jwk: Readonly<Record<string, string>>): KeyObject {
  return createPublicKey({ key: jwk, format: 'jwk' })
}

/** Whether the authority has signed these bytes. A kind of key or signature that is not known here has signed nothing. */
function isSignedBy(authority: Buffer, signed: Buffer, signature: Buffer): boolean {
  const [key, sign] = [new BlobReader(authority), new BlobReader(signature)]
  const [type, kind] = [key.string().toString('latin1'), sign.string().toString('latin1')]
  const value = sign.string()
  if (type === 'ssh-ed25519' && kind === type)
    return verify(null, signed, keyFrom({ kty: 'OKP', crv: 'Ed25519', x: url(key.string()) }), value)
  const hash = RSA_HASHES[kind]
  if (type === 'ssh-rsa' && hash !== undefined) {
    const [e, n] = [url(unsigned(key.string())), url(unsigned(key.string()))]
    return verify(hash, signed, keyFrom({ kty: 'RSA', e, n }), value)
  }
  const curve = CURVES[type.replace('ecdsa-sha2-', '')]
  if (curve === undefined || kind !== type) return false
  key.string()
  const [point, numbers] = [key.string(), new BlobReader(value)]
  const [x, y] = [url(point.subarray(1, 1 + curve.bytes)), url(point.subarray(1 + curve.bytes))]
  const dsa = Buffer.concat([unsigned(numbers.string(), curve.bytes), unsigned(numbers.string(), curve.bytes)])
  const ec = keyFrom({ kty: 'EC', crv: curve.crv, x, y })
  return verify(curve.hash, signed, { key: ec, dsaEncoding: 'ieee-p1363' }, dsa)
}

function parse(blob: Buffer): HostCertificate | undefined {
  const reader = new BlobReader(blob)
  const algorithm = reader.string().toString('latin1')
  if (!(CERTIFICATE_ALGORITHMS as readonly string[]).includes(algorithm)) return undefined
  const type = Buffer.from(algorithm.slice(0, -SUFFIX.length))
  reader.string() // a nonce
  const isEd25519 = type.toString() === 'ssh-ed25519'
  const key = isEd25519 ? blobOf(type, reader.string()) : blobOf(type, reader.string(), reader.string())
  reader.long() // a serial number
  const isHost = reader.integer() === HOST_TYPE
  reader.string() // a name of the certificate, for logs
  const names = stringsIn(reader.string())
  const [validAfter, validBefore] = [reader.long(), reader.long()]
  const hasCriticalOptions = reader.string().length > 0
  reader.string() // extensions; of hosts there are none
  reader.string() // reserved
  const authority = reader.string()
  const signed = blob.subarray(0, reader.position)
  const signature = reader.string()
  if (!reader.isAtEnd() || !isSignedBy(authority, signed, signature)) return undefined
  return { key, authority, isHost, names, validAfter, validBefore, hasCriticalOptions }
}

/** Returns the certificate; undefined for a blob that is none, and for one that its authority has not signed. */
export function parseHostCertificate(blob: Buffer): HostCertificate | undefined {
  try {
    return parse(blob)
  } catch {
    return undefined
  }
}

function dateOf(seconds: bigint): string {
  return seconds > 253_402_300_799n ? 'for ever' : new Date(Number(seconds) * 1000).toISOString()
}

/** Returns why a certificate does not speak for a host of that name at this time; undefined when it does. One without names is for no host. */
export function certificateProblem(
  { isHost, names, validAfter, validBefore, hasCriticalOptions }: HostCertificate,
  name: string,
  nowMs: number,
): string | undefined {
  const now = BigInt(Math.floor(nowMs / 1000))
  if (!isHost) return 'its certificate is that of a user'
  if (now < validAfter) return `its certificate is valid from ${dateOf(validAfter)} on`
  if (now >= validBefore) return `its certificate expired on ${dateOf(validBefore)}`
  if (hasCriticalOptions) return 'its certificate has critical options, and none is known'
  if (names.some((pattern) => matchesGlob(pattern, name.toLowerCase()))) return undefined
  return `its certificate is for ${names.length === 0 ? 'no name' : names.join(', ')}`
}
