/** What Node does not tell of a certificate: its URI names, one by one, its key usage, whether it says that it is an authority's (RFC 5280, section 4.2.1). */
import type { X509Certificate } from 'node:crypto'
import { type DerValue, readDer } from './der.ts'

/** The URIs of the subject's alternative names; the key usage, where there is one; what the basic constraints say. */
export type CertificateExtensions = Readonly<{
  uris: readonly string[]
  keyUsage: KeyUsage | undefined
  isAuthority: boolean
}>

/** Those of its bits that make a difference between leaves and authorities. */
export type KeyUsage = Readonly<{ hasDigitalSignature: boolean; hasKeyCertSign: boolean; hasCrlSign: boolean }>

/** Object identifiers 2.5.29.15, 2.5.29.17 and 2.5.29.19. */
const KEY_USAGE = '551d0f'
const SUBJECT_ALT_NAME = '551d11'
const BASIC_CONSTRAINTS = '551d13'

/** Tags: extensions of a certificate, a name of the form uniformResourceIdentifier, a truth value. */
const EXTENSIONS = 0xa3
const URI_NAME = 0x86
const BOOLEAN = 0x01

/** Reads them. Throws RangeError when the certificate is malformed. */
export function readExtensions({ raw }: X509Certificate): CertificateExtensions {
  const names = extensionOf(raw, SUBJECT_ALT_NAME)
  const usage = extensionOf(raw, KEY_USAGE)
  const constraints = extensionOf(raw, BASIC_CONSTRAINTS)
  const uris = names === undefined ? [] : membersOf(readDer(names)[0]).filter(({ tag }) => tag === URI_NAME)
  return {
    uris: uris.map(({ content }) => content.toString('latin1')),
    keyUsage: usage === undefined ? undefined : keyUsageOf(readDer(usage)[0]),
    isAuthority: constraints !== undefined && isTrue(membersOf(readDer(constraints)[0])[0]),
  }
}

/** Returns the value of an extension: the last member of its sequence, an octet string. */
function extensionOf(raw: Buffer, identifier: string): Buffer | undefined {
  const [toBeSigned] = membersOf(readDer(raw)[0])
  const tagged = membersOf(toBeSigned).find(({ tag }) => tag === EXTENSIONS)
  const extensions = tagged === undefined ? [] : membersOf(readDer(tagged.content)[0])
  for (const extension of extensions) {
    const members = membersOf(extension)
    if (members[0]?.content.toString('hex') === identifier) return members.at(-1)?.content
  }
  return undefined
}

function isTrue(value: DerValue | undefined): boolean {
  return value?.tag === BOOLEAN && value.content[0] !== 0
}

/** The first byte of a bit string counts the bits that are not used. */
function keyUsageOf(bits: DerValue | undefined): KeyUsage {
  const byte = bits?.content[1] ?? 0
  return {
    hasDigitalSignature: (byte & 0x80) !== 0,
    hasKeyCertSign: (byte & 0x04) !== 0,
    hasCrlSign: (byte & 0x02) !== 0,
  }
}

function membersOf(value: DerValue | undefined): readonly DerValue[] {
  return value === undefined ? [] : readDer(value.content)
}
