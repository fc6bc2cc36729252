/**
 * The secrets of a gateway: their names, the ids of their credentials, and how each must look. What makes or keeps them is not here.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto'

/** Returns what is wrong with a secret's text, or undefined. Never holds the text. */
type Check = (text: string) => string | undefined

const PROVIDER_KEY: Check = (text) =>
  /^[\x21-\x7e]+$/.test(text) ? undefined : 'has a blank or a character that no key has'

/** A header as OpenTelemetry takes it from its setting. */
const HEADER_PAIR = /^\s*[\w!#$&'*+.^`|~-]+\s*=\s*(?:%[2-7][\dA-Fa-f]|[!-$&'()*+\-./0-:<-[\]-~])*\s*$/

const CHECKS = {
  TAPPASS_ADMIN_API_KEY: (text) =>
    /^tp_[A-Za-z0-9_-]{20,200}$/.test(text)
      ? undefined
      : 'is not tp_ and at least 20 letters, digits, dashes or underscores',
  TAPPASS_JWT_SECRET: (text) => (text.length >= 32 ? undefined : 'has fewer than 32 characters'),
  TAPPASS_VAULT_KEY: (text) => (isBase64Of(text, 32) ? undefined : 'is not 32 bytes in base64'),
  TAPPASS_TOKEN_KEY: (text) => (isP256(text) ? undefined : 'is not a P-256 private key in PEM'),
  TAPPASS_CHECKPOINT_KEY: (text) => (isPrivateEd25519(text) ? undefined : 'is not a private Ed25519 key in PEM'),
  TAPPASS_LICENSE: (text) =>
    /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) ? undefined : 'is not a signed token of three parts',
  TAPPASS_LICENSE_AUTHORITY: (text) => (isEd25519(text) ? undefined : 'is not a public Ed25519 key in PEM'),
  TAPPASS_ALERT_URL: (text) =>
    isPrivateUrl(text) ? undefined : 'is not an https address, or an http one of this machine',
  POSTGRES_PASSWORD: () => undefined,
  POSTGRES_OWNER_PASSWORD: () => undefined,
  SUPABASE_KEY: () => undefined,
  OPENAI_API_KEY: PROVIDER_KEY,
  ANTHROPIC_API_KEY: PROVIDER_KEY,
  OTEL_EXPORTER_OTLP_HEADERS: (text) =>
    text.split(',').every((pair) => HEADER_PAIR.test(pair))
      ? undefined
      : 'is not name=value with commas between, other characters than those of a token percent-encoded',
} as const satisfies Record<string, Check>

/** The name of a secret, which is also that of its setting. */
export type SecretName = keyof typeof CHECKS

/** All names. */
export const SECRET_NAMES = Object.keys(CHECKS) as readonly SecretName[]

/** Those that the first run makes, here (`up`) and on a host (`bootstrap`). */
export const MADE_SECRET_NAMES = [
  'TAPPASS_ADMIN_API_KEY',
  'TAPPASS_JWT_SECRET',
  'TAPPASS_VAULT_KEY',
  'TAPPASS_TOKEN_KEY',
  'TAPPASS_CHECKPOINT_KEY',
] as const satisfies readonly SecretName[]

/**
 * Those of which a second value may be given, NAME_NEXT, while they are rotated: what it is needed for works with either value, so that the
 * processes can learn the new one before anybody has to use it.
 */
export const OVERLAPPING_SECRET_NAMES = [
  'TAPPASS_ADMIN_API_KEY',
  'TAPPASS_TOKEN_KEY',
  'POSTGRES_PASSWORD',
  'POSTGRES_OWNER_PASSWORD',
] as const satisfies readonly SecretName[]

/** The credential that holds the vault keys before the current one, a line each and the newest first: backups and old entries were made with them. */
export const EARLIER_VAULT_KEYS_ID = 'tappass-vault-key-earlier'

/** The name of a secret whose values may overlap. */
export type OverlappingSecretName = (typeof OVERLAPPING_SECRET_NAMES)[number]

/** The id of the credential that holds the next value of the secret with this one. */
export function nextCredentialId<Id extends string>(id: Id): `${Id}-next` {
  return `${id}-next`
}

type Dashed<T extends string> = T extends `${infer Head}_${infer Rest}` ? `${Head}-${Dashed<Rest>}` : T

/** The id of a secret's credential. */
export type CredentialId<Name extends SecretName = SecretName> = Dashed<Lowercase<Name>>

/** The id of a secret's credential, in lower case with dashes: TAPPASS_VAULT_KEY is `tappass-vault-key`. */
export function credentialId<Name extends SecretName>(name: Name): CredentialId<Name> {
  return name.toLowerCase().replaceAll('_', '-') as CredentialId<Name>
}

/** The name of the secret that has this credential, or undefined. */
export function secretNameOf(id: string): SecretName | undefined {
  return SECRET_NAMES.find((name) => credentialId(name) === id)
}

/** Returns what is wrong with a secret's text, or undefined. The answer never holds the text. */
export function secretProblem(name: SecretName, text: string): string | undefined {
  return (CHECKS[name] as Check)(text)
}

/** Whoever can read the way there can send as we do. */
function isPrivateUrl(text: string): boolean {
  if (!/^[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname))
}

function isBase64Of(text: string, bytes: number): boolean {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) && Buffer.from(text, 'base64').length === bytes
}

function isP256(text: string): boolean {
  try {
    return createPrivateKey(text).asymmetricKeyDetails?.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}

function isPrivateEd25519(text: string): boolean {
  try {
    return createPrivateKey(text).asymmetricKeyType === 'ed25519'
  } catch {
    return false
  }
}

function isEd25519(text: string): boolean {
  try {
    return createPublicKey(text).asymmetricKeyType === 'ed25519'
  } catch {
    return false
  }
}
