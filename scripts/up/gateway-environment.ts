/** The environment and the credentials that `tappass up` gives to its gateway; pure. Nothing secret is in the environment. */
import type { Secrets } from './local-secret.ts'
import type { Answers } from './wizard.ts'

/** What the gateway's own environment may take over from the one around it: where to find things, never a secret. */
const INHERITED = [
  'PATH',
  'HOME',
  'TZ',
  'LANG',
  'LC_ALL',
  'TMPDIR',
  'NODE_COMPILE_CACHE',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'TAPPASS_HOST',
  'TAPPASS_LOG_LEVEL',
  'TAPPASS_LICENSE_AUTHORITY',
  'TAPPASS_LICENSE_AUTHORITY_FILE',
] as const

/** Answers with every default taken. */
export type Decided = Readonly<Answers & { storage: NonNullable<Answers['storage']> }>

/** All settings of the gateway's process. `databaseFolder` is where local storage keeps its files. */
export function renderEnvironment(
  around: Readonly<Record<string, string | undefined>>,
  settings: Readonly<{
    decided: Decided
    port: number
    upstream: string | undefined
    databaseFolder: string
    credentialsFolder: string
  }>,
): Readonly<Record<string, string>> {
  const { decided, port, upstream, databaseFolder, credentialsFolder } = settings
  const all: Readonly<Record<string, string | undefined>> = {
    ...Object.fromEntries(INHERITED.map((name) => [name, around[name]])),
    TAPPASS_ENV: 'development',
    TAPPASS_PORT: String(port),
    TAPPASS_STORAGE: decided.storage,
    TAPPASS_DATA_DIR: decided.storage === 'local' ? databaseFolder : undefined,
    TAPPASS_UPSTREAM_URL: upstream,
    SUPABASE_URL: decided.storage === 'supabase' ? decided.supabaseUrl : undefined,
    CREDENTIALS_DIRECTORY: credentialsFolder,
  }
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]])),
  )
}

/** The answers that are secrets, by credential id. */
export function answeredSecrets({ license, providerKey, supabaseKey }: Answers): Secrets {
  return Object.fromEntries(
    Object.entries({
      'tappass-license': license,
      'openai-api-key': providerKey,
      'supabase-key': supabaseKey,
    }).flatMap(([id, text]) => (text === undefined ? [] : [[id, text]])),
  )
}
