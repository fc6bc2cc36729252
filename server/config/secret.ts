/**
 * Secrets: where each is read from, and its required format. Used by config.ts alone; a problem names the secret and
 * its source, and never holds its text.
 */
import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAuthority } from './license.ts'

/** Returns what is wrong with a secret's text, or undefined. */
type Check = (text: string) => string | undefined

const CHECKS = {
  TAPPASS_ADMIN_API_KEY: (text) =>
    /^tp_[A-Za-z0-9_-]{20,200}$/.test(text)
      ? undefined
      : 'is not tp_ and at least 20 letters, digits, dashes or underscores',
  TAPPASS_JWT_SECRET: (text) => (text.length >= 32 ? undefined : 'has fewer than 32 characters'),
  TAPPASS_VAULT_KEY: (text) => (isBase64Of(text, 32) ? undefined : 'is not 32 bytes in base64'),
  TAPPASS_TOKEN_KEY: (text) => (isP256(text) ? undefined : 'is not a P-256 private key in PEM'),
  TAPPASS_LICENSE: (text) =>
    /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) ? undefined : 'is not a signed token of three parts',
  TAPPASS_LICENSE_AUTHORITY: (text) => (isAuthority(text) ? undefined : 'is not a public Ed25519 key in PEM'),
  POSTGRES_PASSWORD: () => undefined,
  SUPABASE_KEY: () => undefined,
  OPENAI_API_KEY: (text) => (/^[\x21-\x7e]+$/.test(text) ? undefined : 'has a blank or a character that no key has'),
  ANTHROPIC_API_KEY: (text) => (/^[\x21-\x7e]+$/.test(text) ? undefined : 'has a blank or a character that no key has'),
} as const satisfies Record<string, Check>

/** The secrets that this product reads. */
export type SecretName = keyof typeof CHECKS

/** Their names. */
export const SECRET_NAMES = Object.keys(CHECKS) as readonly SecretName[]

/** Those that were found. */
export type Secrets = Readonly<Partial<Record<SecretName, string>>>

/** Older names of a secret. */
const ALIASES: Readonly<Partial<Record<SecretName, string>>> = { TAPPASS_ADMIN_API_KEY: 'TAPPASS_ADMIN_KEY' }

/**
 * Reads every secret: the credential `$CREDENTIALS_DIRECTORY/<name>` (lower case, dashes), then the file that
 * NAME_FILE names, then NAME itself. `required` are those that must exist. Returns what was found and every problem,
 * never throws.
 */
export function readSecrets(
  environment: Readonly<Record<string, string | undefined>>,
  required: readonly SecretName[],
): Readonly<{ secrets: Secrets; problems: readonly string[] }> {
  const secrets: Partial<Record<SecretName, string>> = {}
  const problems: string[] = []
  for (const name of SECRET_NAMES) {
    const found = find(environment, name)
    if (found.problem) problems.push(`${name} ${found.problem}`)
    const problem = found.text === undefined ? undefined : (CHECKS[name] as Check)(found.text)
    if (problem) problems.push(`${name} ${problem}`)
    else if (found.text !== undefined) secrets[name] = found.text
    else if (required.includes(name) && !found.problem) {
      problems.push(`${name} is missing: give the credential ${credentialName(name)}, ${name}_FILE or ${name}`)
    }
  }
  return { secrets, problems }
}

/** The name of a secret's systemd credential: TAPPASS_VAULT_KEY is `tappass-vault-key`. */
export function credentialName(name: SecretName): string {
  return name.toLowerCase().replaceAll('_', '-')
}

function find(
  environment: Readonly<Record<string, string | undefined>>,
  name: SecretName,
): Readonly<{ text?: string; problem?: string }> {
  const folder = environment['CREDENTIALS_DIRECTORY']
  if (folder) {
    const credential = readText(join(folder, credentialName(name)))
    // A unit passes an empty line for an optional credential (systemd.exec(5), SetCredential=).
    if (credential.text !== undefined || (credential.problem && !credential.isEmpty)) return credential
  }
  const path = environment[`${name}_FILE`]
  if (path) {
    const file = readText(path)
    return file.text === undefined && !file.problem ? { problem: `is not there: ${path}` } : file
  }
  const alias = ALIASES[name]
  const text = environment[name] ?? (alias ? environment[alias] : undefined)
  return text === undefined ? {} : { text }
}

/** A missing file is no problem here; an empty or unreadable one is. */
function readText(path: string): Readonly<{ text?: string; problem?: string; isEmpty?: true }> {
  try {
    const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
    return text === '' ? { problem: `is empty: ${path}`, isEmpty: true } : { text }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    return code === 'ENOENT' || code === 'ENOTDIR' ? {} : { problem: `can't be read (${code}): ${path}` }
  }
}

function isBase64Of(text: string, bytes: number): boolean {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) && Buffer.from(text, 'base64').length === bytes
}

function isAuthority(text: string): boolean {
  try {
    parseAuthority(text)
    return true
  } catch {
    return false
  }
}

function isP256(text: string): boolean {
  try {
    return createPrivateKey(text).asymmetricKeyDetails?.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}
