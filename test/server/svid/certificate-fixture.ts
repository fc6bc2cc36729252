/** Certificates for tests, good ones and ones that no authority would make: put together in DER and signed here. */
import { createHash, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'

/** A certificate and its key, in PEM, and what signs others. */
export type Issued = Readonly<{ certificate: string; key: string; privateKey: KeyObject; x509: X509Certificate }>

/** What a certificate is to be. `issuer`: itself, unless given. `usage`: the first byte of its key usage; null for none. */
export type CertificateForm = Readonly<{
  uris?: readonly string[]
  names?: readonly string[]
  issuer?: Issued
  /** Another certificate of the same key and name. */
  again?: Issued
  isAuthority?: boolean
  usage?: number | null
  extendedUsage?: readonly ('clientAuth' | 'serverAuth')[]
  validFromMs?: number
  validToMs?: number
}>

/** Bits of the key usage. */
export const DIGITAL_SIGNATURE = 0x80
export const KEY_CERT_SIGN = 0x04
export const CRL_SIGN = 0x02

const ECDSA_SHA256 = '06082a8648ce3d040302'
const HOUR_MS = 3_600_000
let serial = 1

function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content])
  return Buffer.concat([Buffer.from([tag, 0x82, content.length >> 8, content.length & 0xff]), content])
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const sequence = (...contents: readonly Uint8Array[]): Buffer => der(0x30, ...contents)
const time = (ms: number): Buffer =>
  der(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`))
const nameOf = (text: string): Buffer => sequence(der(0x31, sequence(hex('0603550403'), der(0x0c, Buffer.from(text)))))

function extension(oid: string, isCritical: boolean, value: Buffer): Buffer {
  return sequence(hex(oid), ...(isCritical ? [hex('0101ff')] : []), der(0x04, value))
}

function extensionsOf(form: CertificateForm, keyId: Buffer, issuerKeyId: Buffer): Buffer {
  const { uris = [], names = [], isAuthority = false } = form
  const { usage = isAuthority ? KEY_CERT_SIGN | CRL_SIGN : DIGITAL_SIGNATURE, extendedUsage = [] } = form
  const alternatives = [
    ...uris.map((uri) => der(0x86, Buffer.from(uri))),
    ...names.map((name) => der(0x82, Buffer.from(name))),
  ]
  const purposes = { serverAuth: '06082b06010505070301', clientAuth: '06082b06010505070302' }
  return sequence(
    extension('0603551d13', true, sequence(...(isAuthority ? [hex('0101ff')] : []))),
    ...(usage === null ? [] : [extension('0603551d0f', true, der(0x03, Buffer.from([0, usage])))]),
    ...(extendedUsage.length === 0
      ? []
      : [extension('0603551d25', false, sequence(...extendedUsage.map((each) => hex(purposes[each]))))]),
    ...(alternatives.length === 0 ? [] : [extension('0603551d11', false, sequence(...alternatives))]),
    extension('0603551d0e', false, der(0x04, keyId)),
    extension('0603551d23', false, sequence(der(0x80, issuerKeyId))),
  )
}

function keysOf({ again }: CertificateForm): Readonly<{ privateKey: KeyObject; publicKey: KeyObject }> {
  if (again === undefined) return generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  return { privateKey: again.privateKey, publicKey: again.x509.publicKey }
}

function commonName({ x509 }: Issued): string {
  return /CN=(.*)/.exec(x509.subject)?.[1] ?? ''
}

/** Makes one. */
export function issue(form: CertificateForm): Issued {
  const { privateKey, publicKey } = keysOf(form)
  const { issuer, validFromMs = Date.now() - HOUR_MS, validToMs = Date.now() + HOUR_MS } = form
  const publicDer = publicKey.export({ type: 'spki', format: 'der' })
  const keyId = createHash('sha1').update(publicDer).digest()
  const own = form.again ? commonName(form.again) : `${form.isAuthority ? 'authority' : 'leaf'} ${serial}`
  const issuerName = issuer === undefined ? own : commonName(issuer)
  const issuerDer = issuer?.x509.publicKey.export({ type: 'spki', format: 'der' }) ?? publicDer
  const toBeSigned = sequence(
    hex('a003020102'),
    der(0x02, Buffer.from([0x40, serial++])),
    sequence(hex(ECDSA_SHA256)),
    nameOf(issuerName),
    sequence(time(validFromMs), time(validToMs)),
    nameOf(own),
    publicDer,
    der(0xa3, extensionsOf(form, keyId, createHash('sha1').update(issuerDer).digest())),
  )
  const signature = sign('sha256', toBeSigned, issuer?.privateKey ?? privateKey)
  const whole = sequence(toBeSigned, sequence(hex(ECDSA_SHA256)), der(0x03, Buffer.from([0]), signature))
  const x509 = new X509Certificate(whole)
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { certificate: `${x509.toString().trim()}\n`, key, privateKey, x509 }
}

/** An authority of a trust domain. */
export function issueAuthority(trustDomain: string, more: CertificateForm = {}): Issued {
  return issue({ isAuthority: true, uris: [`spiffe://${trustDomain}`], ...more })
}
