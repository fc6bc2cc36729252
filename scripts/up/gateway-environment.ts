/** The environment and the credentials of the gateway that `tappass up` starts; pure. The environment contains no secret. */
import { credentialId } from '../../contract/secret.ts'
import type { Secrets } from './local-secret.ts'
import type { Answers } from './wizard.ts'

/** Variables that the gateway inherits; never a secret. */
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
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_PROTOCOL',
  'OTEL_EXPORTER_OTLP_HEADERS_FILE',
  'OTEL_SERVICE_NAME',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
] as const

/** The answers with all defaults applied. */
export type ResolvedAnswers = Readonly<Answers & { storage: NonNullable<Answers['storage']> }>

/** Returns the environment of the gateway process. `databaseFolder` and `checkpointFolder` are those of local storage. */
export function renderEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  settings: Readonly<{
    answers: ResolvedAnswers
    port: number
    upstream: string | undefined
    databaseFolder: string
    checkpointFolder: string
    credentialsFolder: string
  }>,
): Readonly<Record<string, string>> {
  const { answers, port, upstream, databaseFolder, checkpointFolder, credentialsFolder } = settings
  const all: Readonly<Record<string, string | undefined>> = {
    ...Object.fromEntries(INHERITED.map((name) => [name, environment[name]])),
    TAPPASS_ENV: 'development',
    TAPPASS_PORT: String(port),
    TAPPASS_STORAGE: answers.storage,
    TAPPASS_DATA_DIR: answers.storage === 'local' ? databaseFolder : undefined,
    TAPPASS_CHECKPOINT_DIR: answers.storage === 'local' ? checkpointFolder : undefined,
    TAPPASS_UPSTREAM_URL: upstream,
    SUPABASE_URL: answers.storage === 'supabase' ? answers.supabaseUrl : undefined,
    CREDENTIALS_DIRECTORY: credentialsFolder,
  }
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]])),
  )
}

/** Returns the answers that are secrets, by credential id. */
export function answeredSecrets({ license, providerKey, supabaseKey }: Answers): Secrets {
  return Object.fromEntries(
    Object.entries({
      [credentialId('TAPPASS_LICENSE')]: license,
      [credentialId('OPENAI_API_KEY')]: providerKey,
      [credentialId('SUPABASE_KEY')]: supabaseKey,
    }).flatMap(([id, text]) => (text === undefined ? [] : [[id, text]])),
  )
}
