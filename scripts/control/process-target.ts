/** Which database a process of the gateway uses, and the environment or command that reaches it; pure. No secret is an argument. */

import { join } from 'node:path'
import { HOST_PATH } from '../../contract/path.ts'
import { credentialId, nextCredentialId } from '../../contract/secret.ts'
import type { StorageCredentialId } from '../../contract/storage.ts'
import { ACCOUNT } from '../../contract/unit.ts'
import type { Command } from '../core/host.ts'
import { quote } from '../core/quoting.ts'
import { credentialPaths } from '../secrets/credential.ts'
import { OWNER_SECRET_ID } from '../secrets/secret-id.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Variables that the process inherits for any database. */
const INHERITED_NAMES = ['PATH', 'HOME', 'TZ', 'LANG', 'LC_ALL', 'TMPDIR', 'NODE_EXTRA_CA_CERTS'] as const

/** Variables that select a database and its password. */
const DATABASE_NAMES = [
  'TAPPASS_ENV',
  'TAPPASS_STORAGE',
  'TAPPASS_DATA_DIR',
  'TAPPASS_CHECKPOINT_DIR',
  'DATABASE_URL',
  'DATABASE_URL_FILE',
  'DATABASE_OWNER_URL',
  'DATABASE_OWNER_URL_FILE',
  'DATABASE_CA',
  'DATABASE_CA_FILE',
  'SUPABASE_URL',
  'POSTGRES_PASSWORD',
  'POSTGRES_PASSWORD_FILE',
  'POSTGRES_OWNER_PASSWORD',
  'POSTGRES_OWNER_PASSWORD_FILE',
  'SUPABASE_KEY',
  'SUPABASE_KEY_FILE',
  'CREDENTIALS_DIRECTORY',
] as const

function pick(environment: Environment, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])))
}

/** Returns the environment of the database that the current environment selects; undefined when it selects none. */
export function environmentFromProcess(environment: Environment): Readonly<Record<string, string>> | undefined {
  return environment['DATABASE_URL'] || environment['DATABASE_URL_FILE'] || environment['SUPABASE_URL']
    ? pick(environment, [...INHERITED_NAMES, ...DATABASE_NAMES])
    : undefined
}

/** Returns the environment of the database in a data folder of `tappass up`; `answers` are those stored there. */
export function environmentFromFolder(
  environment: Environment,
  dataPath: string,
  answers: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, string>> {
  const { storage, supabaseUrl } = answers ?? {}
  const storageSettings: Readonly<Record<string, string>> =
    storage === 'supabase' && typeof supabaseUrl === 'string'
      ? { TAPPASS_STORAGE: 'supabase', SUPABASE_URL: supabaseUrl, CREDENTIALS_DIRECTORY: join(dataPath, 'secrets') }
      : {
          TAPPASS_STORAGE: 'local',
          TAPPASS_DATA_DIR: join(dataPath, 'database'),
          TAPPASS_CHECKPOINT_DIR: join(dataPath, 'checkpoints'),
        }
  return { ...pick(environment, INHERITED_NAMES), ...storageSettings }
}

/** A migration of a large table, or the whole ledger recomputed. The unit ends first, then the command that waits for it. */
const PROCESS_SECONDS = 4 * 3600
/** An export of the ledger, as much as a text can hold here. */
const OUTPUT_BYTES_MAX = 500 * 1024 * 1024

const PASSWORD_IDS = [credentialId('POSTGRES_PASSWORD')]
/** What migrates does it as the owner of the tables. A host that was bootstrapped by an older release has no such secret. */
const PASSWORD_IDS_BY_ENTRY: Readonly<Record<string, readonly string[]>> = {
  'server/migrate.ts': [...PASSWORD_IDS, OWNER_SECRET_ID],
}
const SETTINGS = [
  `User=${ACCOUNT.gateway}`,
  `Group=${ACCOUNT.gateway}`,
  'PrivateTmp=yes',
  `RuntimeMaxSec=${PROCESS_SECONDS - 60}`,
]
const LIMITS = ['NoNewPrivileges=yes', 'ProtectSystem=strict', 'ProtectHome=yes']
/** Of a database that somebody else runs; an owner's address is for migrations alone. */
const ADDRESS_IDS = ['database-url', 'database-ca'] as const satisfies readonly StorageCredentialId[]
const ADDRESS_IDS_BY_ENTRY: Readonly<Record<string, readonly StorageCredentialId[]>> = {
  'server/migrate.ts': [...ADDRESS_IDS, 'database-owner-url'],
}

/** The lines of a script that add the property which loads a credential, from where it is. */
function credentialScript(id: string): string {
  const [encrypted, plain] = credentialPaths(id)
  return `if [ -e ${quote(encrypted)} ]; then credentials="$credentials --property=LoadCredentialEncrypted=${id}:${encrypted}"
elif [ -e ${quote(plain)} ]; then credentials="$credentials --property=LoadCredential=${id}:${plain}"
fi`
}

/**
 * Returns the command that runs a process of the gateway (`entry`, such as `server/migrate.ts`) on a bootstrapped host under the
 * account `tappass`, with the passwords that it needs as credentials. `bootstrapHint` is the command that installs TapPass there; `folder` is
 * the release's.
 */
export function processCommand(
  entry: string,
  args: readonly string[],
  effect: Command['effect'],
  bootstrapHint: string,
  folder: string = HOST_PATH.currentRelease,
): Command {
  const ids = PASSWORD_IDS_BY_ENTRY[entry] ?? PASSWORD_IDS
  const addressIds = ADDRESS_IDS_BY_ENTRY[entry] ?? ADDRESS_IDS
  const properties = [
    ...SETTINGS,
    `WorkingDirectory=${folder}`,
    ...LIMITS,
    `EnvironmentFile=${HOST_PATH.gatewayEnvironment}`,
  ]
  const script = `
if ! [ -e ${folder}/${entry} ]; then
  printf 'tappass: TapPass is not installed on this host\\n  next:  %s\\n' ${quote(bootstrapHint)} >&2
  exit 5
fi
credentials= families=AF_UNIX
if grep -q '^DATABASE_URL=' ${HOST_PATH.gatewayEnvironment}; then
${[...ids, ...ids.map(nextCredentialId)].map(credentialScript).join('\n')}
else
families='AF_INET AF_INET6 AF_UNIX'
${addressIds.map(credentialScript).join('\n')}
fi
exec systemd-run --quiet --pipe --wait --collect --service-type=exec \\
  ${properties.map((property) => `--property=${quote(property)}`).join(' ')} "--property=RestrictAddressFamilies=$families" $credentials \\
  ${HOST_PATH.nodeProgram} ${entry} ${args.map(quote).join(' ')} </dev/null
`
  return {
    argv: ['sh', '-s'],
    effect,
    stdin: script,
    deadlineMs: PROCESS_SECONDS * 1000,
    outputBytesMax: OUTPUT_BYTES_MAX,
  }
}
