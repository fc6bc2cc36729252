/** The gateway's own X.509-SVID: certificate, key and bundle, which are three files and have to fit each other. */
import { createPrivateKey, type X509Certificate } from 'node:crypto'
import { readCertificates } from './trust-bundle.ts'
import { checkX509Svid } from './x509-svid.ts'

/** Texts of the three files, in PEM. */
export type SvidTexts = Readonly<{ certificate: string; key: string; bundle: string }>

/** Three that fit: whose it is, until when it is valid, and what clients' certificates are checked against. */
export type SvidSet = Readonly<{
  texts: SvidTexts
  spiffeId: string
  expiresMs: number
  authorities: readonly X509Certificate[]
}>

/** A set, or why the files are none: one of them is cut off, two of them are of different rotations. */
export type SvidSetResult = Readonly<{ status: 'fits'; set: SvidSet }> | Readonly<{ status: 'unfit'; problem: string }>

/** Reads a set of a trust domain. Nothing of the key is in a problem. */
export function readSvidSet(texts: SvidTexts, trustDomain: string, nowMs: number): SvidSetResult {
  const certificates = read('svid.pem', () => readCertificates(texts.certificate))
  if (typeof certificates === 'string') return unfit(certificates)
  const authorities = read('svid_bundle.pem', () => readCertificates(texts.bundle))
  if (typeof authorities === 'string') return unfit(authorities)
  const key = read('svid_key.pem', () => createPrivateKey(texts.key))
  if (typeof key === 'string') return unfit('svid_key.pem: there is no whole private key in it')
  if (!certificates[0]?.checkPrivateKey(key)) return unfit('svid_key.pem is not the key of svid.pem')
  const check = checkX509Svid({ certificates, error: undefined }, authorities, trustDomain, nowMs)
  if (check.status === 'refused')
    return unfit(`svid.pem does not fit svid_bundle.pem and ${trustDomain}: ${check.reason}`)
  const { spiffeId, expiresMs } = check
  return { status: 'fits', set: { texts, spiffeId, expiresMs, authorities } }
}

function unfit(problem: string): SvidSetResult {
  return { status: 'unfit', problem }
}

/** The result, or what is wrong with the file. */
function read<Result>(file: string, parse: () => Result): Result | string {
  try {
    return parse()
  } catch (cause) {
    return `${file}: ${(cause as Error).message}`
  }
}
