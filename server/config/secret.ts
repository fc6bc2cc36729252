/**
 * Secrets: where each is read from, and that it has the form that `contract/secret.ts` demands. Read by config.ts alone; a problem names the secret and
 * its source, and never holds its text.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  credentialId,
  nextCredentialId,
  OVERLAPPING_SECRET_NAMES,
  type OverlappingSecretName,
  SECRET_NAMES,
  type SecretName,
  secretProblem,
} from '../../contract/secret.ts'
import { STORAGE_CREDENTIAL, STORAGE_NAMES } from '../../contract/storage.ts'

/** Those that were found. */
export type Secrets = Readonly<Partial<Record<SecretName, string>>>

/** Returns the value of a secret, and its next one while it is rotated. */
export function valuesOf(
  { secrets, nextSecrets }: Readonly<{ secrets: Secrets; nextSecrets: Secrets }>,
  name: OverlappingSecretName,
): readonly string[] {
  return [secrets[name], nextSecrets[name]].filter((value) => value !== undefined)
}

/** Older names of a secret. */
const ALIASES: Readonly<Record<string, string>> = { TAPPASS_ADMIN_API_KEY: 'TAPPASS_ADMIN_KEY' }

/**
 * Reads every secret: the credential `$CREDENTIALS_DIRECTORY/<name>` (lower case, dashes), then the file that
 * NAME_FILE names, then NAME itself. `required` are those that must exist. Returns what was found, the second values of those that are
 * being rotated, and every problem; never throws.
 */
export function readSecrets(
  environment: Readonly<Record<string, string | undefined>>,
  required: readonly SecretName[],
): Readonly<{ secrets: Secrets; nextSecrets: Secrets; problems: readonly string[] }> {
  const secrets: Partial<Record<SecretName, string>> = {}
  const problems: string[] = []
  for (const name of SECRET_NAMES) {
    const found = find(environment, name, credentialId(name))
    if (found.problem) problems.push(`${name} ${found.problem}`)
    const problem = found.text === undefined ? undefined : secretProblem(name, found.text)
    if (problem) problems.push(`${name} ${problem}`)
    else if (found.text !== undefined) secrets[name] = found.text
    else if (required.includes(name) && !found.problem) {
      problems.push(`${name} is missing: give the credential ${credentialId(name)}, ${name}_FILE or ${name}`)
    }
  }
  const next = readNextSecrets(environment)
  return { secrets, nextSecrets: next.secrets, problems: [...problems, ...next.problems] }
}

/** The second values (NAME_NEXT) of secrets that are being rotated. */
function readNextSecrets(environment: Readonly<Record<string, string | undefined>>) {
  const secrets: Partial<Record<SecretName, string>> = {}
  const problems: string[] = []
  for (const name of OVERLAPPING_SECRET_NAMES) {
    const { text, problem = text === undefined ? undefined : secretProblem(name, text) } = find(
      environment,
      `${name}_NEXT`,
      nextCredentialId(credentialId(name)),
    )
    if (problem) problems.push(`${name}_NEXT ${problem}`)
    else if (text !== undefined) secrets[name] = text
  }
  return { secrets, problems }
}

/**
 * Reads the addresses of a database and a Redis, which may hold passwords, from the three places of a secret. Their forms are those of settings, and judged with
 * them.
 */
export function readStorage(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<{ settings: Readonly<Record<string, string>>; problems: readonly string[] }> {
  const found = STORAGE_NAMES.map((name) => ({ name, ...find(environment, name, STORAGE_CREDENTIAL[name]) }))
  return {
    settings: Object.fromEntries(found.flatMap(({ name, text }) => (text === undefined ? [] : [[name, text]]))),
    problems: found.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name} ${problem}`])),
  }
}

function find(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
  id: string,
): Readonly<{ text?: string; problem?: string }> {
  const folder = environment['CREDENTIALS_DIRECTORY']
  if (folder) {
    const credential = readText(join(folder, id))
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
