/** The secrets of the ingress: of a tunnel, and of a certificate of one's own. Provided by the operator, never generated, never given to the gateway. */
import { createPrivateKey, X509Certificate } from 'node:crypto'

/** Their ids. */
export const INGRESS_SECRET_IDS = ['tunnel-token', 'tunnel-credentials', 'tls-certificate', 'tls-key'] as const

/** The id of one. */
export type IngressSecretId = (typeof INGRESS_SECRET_IDS)[number]

type Check = (text: string) => string | undefined

/** Returns the members of a JSON object, or undefined. */
function membersOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function hasTunnel(members: Readonly<Record<string, unknown>> | undefined, names: readonly [string, string, string]) {
  const [account, id, secret] = names.map((name) => String(members?.[name] ?? ''))
  return account !== '' && UUID.test(id ?? '') && secret !== ''
}

function certificatesOf(text: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}

function isReadable(read: () => unknown): boolean {
  try {
    return Boolean(read())
  } catch {
    return false
  }
}

const CHECKS: Readonly<Record<IngressSecretId, Check>> = {
  'tunnel-token': (text) =>
    /^[A-Za-z0-9+/]+={0,2}$/.test(text) && hasTunnel(membersOf(Buffer.from(text, 'base64').toString()), ['a', 't', 's'])
      ? undefined
      : 'is not the token of a Cloudflare tunnel (base64 of an account, an id and a secret)',
  'tunnel-credentials': (text) =>
    hasTunnel(membersOf(text), ['AccountTag', 'TunnelID', 'TunnelSecret'])
      ? undefined
      : 'is not the credentials file of a tunnel (JSON with AccountTag, TunnelID and TunnelSecret)',
  'tls-certificate': (text) =>
    isReadable(() => certificatesOf(text)[0]) ? undefined : 'is not a certificate in PEM, the own one first',
  'tls-key': (text) => (isReadable(() => createPrivateKey(text)) ? undefined : 'is not a private key in PEM'),
}

/** Returns what is wrong with a secret's text by itself, or undefined; so for an id that is not of the ingress. Never holds the text. */
export function ingressSecretProblem(id: string, text: string): string | undefined {
  return INGRESS_SECRET_IDS.includes(id as IngressSecretId) ? CHECKS[id as IngressSecretId](text) : undefined
}

/** Returns why a certificate and its key, right each for itself, can't be served at this time; undefined when they can, or when neither is given. */
export function certificateProblem(
  given: Readonly<{ certificate?: string | undefined; key?: string | undefined }>,
  nowMs: number,
): string | undefined {
  const { certificate, key } = given
  if (certificate === undefined && key === undefined) return undefined
  if (certificate === undefined || key === undefined) return 'a certificate and its key come together'
  const [own] = certificatesOf(certificate)
  if (own === undefined || !own.checkPrivateKey(createPrivateKey(key))) return 'the certificate does not fit the key'
  if (own.validToDate.getTime() <= nowMs) return `the certificate expired on ${own.validToDate.toISOString()}`
  if (own.validFromDate.getTime() > nowMs) return `the certificate is valid from ${own.validFromDate.toISOString()} on`
  return undefined
}
