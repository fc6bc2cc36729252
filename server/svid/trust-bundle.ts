/** A trust bundle: the authorities of X.509-SVIDs, and the keys of JWT-SVIDs, of one trust domain. */
import { X509Certificate } from 'node:crypto'
import type { JWK } from 'jose'
import * as v from 'valibot'

const BLOCK = /-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

/** Returns the certificates of a PEM file. Throws when there is none, or one is cut off or malformed. */
export function readCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(BLOCK) ?? []
  if (blocks.length === 0) throw new Error('there is no certificate in it')
  if (blocks.length !== pem.split('-----BEGIN').length - 1) throw new Error('a certificate in it is cut off')
  return blocks.map((block) => new X509Certificate(block))
}

/** A key has to have an id: tokens name it. Their private parts have no place in a bundle. */
const KEY = v.pipe(
  v.looseObject({ kty: v.picklist(['EC', 'RSA']), kid: v.string(), use: v.optional(v.string()) }),
  v.check((key) => !('d' in key), 'holds a private key'),
)
const KEY_SET = v.object({ keys: v.array(v.unknown()) })
const BUNDLES = v.record(v.string(), v.string())

/** What a key of a SPIFFE bundle is for; in a JWK set of a JWT bundle it says nothing. */
const USES: readonly (string | undefined)[] = [undefined, 'jwt-svid', 'sig']

/**
 * Returns the keys of a trust domain. The file is a JWK set, or, as spiffe-helper writes it, one in base64 for each trust domain.
 * Throws when it is neither.
 */
export function readTokenKeys(text: string, trustDomain: string): readonly JWK[] {
  const json: unknown = JSON.parse(text)
  const isKeySet = v.safeParse(KEY_SET, json)
  return isKeySet.success ? keysOf(isKeySet.output) : keysOf(decode(v.parse(BUNDLES, json), trustDomain))
}

function decode(bundles: Readonly<Record<string, string>>, trustDomain: string): v.InferOutput<typeof KEY_SET> {
  const encoded = bundles[trustDomain] ?? bundles[`spiffe://${trustDomain}`]
  if (encoded === undefined) throw new Error(`there is no bundle of ${trustDomain} in it`)
  return v.parse(KEY_SET, JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')))
}

function keysOf({ keys }: v.InferOutput<typeof KEY_SET>): readonly JWK[] {
  const usable = keys.flatMap((each) => {
    const key = v.safeParse(KEY, each)
    if (!key.success || !USES.includes(key.output.use)) return []
    const { use: _, ...jwk } = key.output
    return [jwk as JWK]
  })
  if (usable.length === 0) throw new Error('there is no key for JWT-SVIDs in it')
  return usable
}
