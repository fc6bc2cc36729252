/** The authorities of SPIRE's server on a host: which key signs, which one is to come, and which one was before and is still trusted. */
import { X509Certificate } from 'node:crypto'
import { HOST_PATH } from '../../contract/path.ts'
import type { Fact } from '../core/host.ts'
import { SPIRE_SERVER } from '../facts/spire.ts'

/** `createdAt` (seconds since 1970) is that of the authority for X.509 that signs now. `isOldTrusted`: of X.509, of JWT, or both. */
export type SpireAuthorities = Readonly<{
  createdAt: number
  isX509Prepared: boolean
  isJwtPrepared: boolean
  isOldTrusted: boolean
}>

/** SPIRE lets a certificate begin so much earlier, for clocks that are behind. */
const BACKDATED_SECONDS = 10

const SCRIPT = `[ -S "$2" ] || exit 0
for kind in x509 jwt; do timeout 10 "$1" localauthority $kind show -socketPath "$2" -output json; echo; done
timeout 10 "$1" bundle show -socketPath "$2" -output json`

type Shown = Readonly<Partial<Record<'active' | 'prepared' | 'old', Readonly<{ authority_id: string }>>>>
type Bundle = Readonly<{
  x509_authorities: readonly Readonly<{ asn1: string }>[]
  jwt_authorities: readonly Readonly<{ key_id: string }>[]
}>

function parse(stdout: string): SpireAuthorities | undefined {
  const [x509, jwt, bundle] = stdout.split('\n').filter((line) => line.trim() !== '')
  if (bundle === undefined) return undefined
  const [own, token] = [x509, jwt].map((text) => JSON.parse(text ?? '') as Shown)
  const { x509_authorities: certificates, jwt_authorities: keys } = JSON.parse(bundle) as Bundle
  // The id is the certificate's subject key id.
  const certificateOf = (id = 'none') =>
    certificates
      .map(({ asn1 }) => Buffer.from(asn1, 'base64'))
      .find((bytes) => id !== 'none' && bytes.includes(Buffer.from(id, 'hex')))
  const active = certificateOf(own?.active?.authority_id)
  if (active === undefined) return undefined
  return {
    createdAt: new X509Certificate(active).validFromDate.getTime() / 1000 + BACKDATED_SECONDS,
    isX509Prepared: own?.prepared !== undefined,
    isJwtPrepared: token?.prepared !== undefined,
    isOldTrusted:
      certificateOf(own?.old?.authority_id) !== undefined ||
      keys.some(({ key_id: id }) => id === token?.old?.authority_id),
  }
}

/** Of the server; undefined where none answers. */
export const spireAuthoritiesFact: Fact<SpireAuthorities | undefined> = {
  query: {
    argv: ['sh', '-c', SCRIPT, 'sh', SPIRE_SERVER, HOST_PATH.spireServerSocket],
    effect: 'read',
    isLong: true,
  },
  parse: ({ stdout }) => {
    try {
      return parse(stdout)
    } catch {
      return undefined
    }
  },
}
