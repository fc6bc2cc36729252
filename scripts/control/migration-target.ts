/** Where `tappass migrate` looks for its database, and how it gets there; pure. No secret is in an argument. */
import { join } from 'node:path'
import type { Command } from '../core/host.ts'
import { quote } from '../core/quoting.ts'
import { credentialPaths } from '../secrets/credential.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What the migrations' process may take over from the environment around it, whatever the database. */
const ALWAYS = ['PATH', 'HOME', 'TZ', 'LANG', 'LC_ALL', 'TMPDIR', 'NODE_EXTRA_CA_CERTS'] as const

/** What names a database, and where its password is. */
const NAMED = [
  'TAPPASS_ENV',
  'TAPPASS_STORAGE',
  'TAPPASS_DATA_DIR',
  'DATABASE_URL',
  'SUPABASE_URL',
  'POSTGRES_PASSWORD',
  'POSTGRES_PASSWORD_FILE',
  'SUPABASE_KEY',
  'SUPABASE_KEY_FILE',
  'CREDENTIALS_DIRECTORY',
] as const

function pick(around: Environment, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.flatMap((name) => (around[name] ? [[name, around[name]]] : [])))
}

/** The environment for the database that the one around names; undefined when it names none. */
export function environmentFromAround(around: Environment): Readonly<Record<string, string>> | undefined {
  return around['DATABASE_URL'] || around['SUPABASE_URL'] ? pick(around, [...ALWAYS, ...NAMED]) : undefined
}

/** The environment for the database of a data folder of `tappass up`; `answers` are those that it keeps there. */
export function environmentFromFolder(
  around: Environment,
  dataPath: string,
  answers: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, string>> {
  const { storage, supabaseUrl } = answers ?? {}
  const place: Readonly<Record<string, string>> =
    storage === 'supabase' && typeof supabaseUrl === 'string'
      ? { TAPPASS_STORAGE: 'supabase', SUPABASE_URL: supabaseUrl, CREDENTIALS_DIRECTORY: join(dataPath, 'secrets') }
      : { TAPPASS_STORAGE: 'local', TAPPASS_DATA_DIR: join(dataPath, 'database') }
  return { ...pick(around, ALWAYS), ...place }
}

const PASSWORD_ID = 'postgres-password'
const SETTINGS = ['User=tappass', 'Group=tappass', 'WorkingDirectory=/opt/tappass/current', 'PrivateTmp=yes']
const LIMITS = ['NoNewPrivileges=yes', 'ProtectSystem=strict', 'ProtectHome=yes', 'RestrictAddressFamilies=AF_UNIX']

/** The command that runs the migrations' process on a bootstrapped host as its own account, the password as a credential. */
export function migrateOnHost(words: readonly string[], effect: Command['effect']): Command {
  const [encrypted, plain] = credentialPaths(PASSWORD_ID)
  const properties = [...SETTINGS, ...LIMITS, 'EnvironmentFile=/etc/tappass/gateway.env']
  const script = `
if ! [ -e /opt/tappass/current/server/migrate.ts ]; then
  printf 'tappass: TapPass is not installed on this host\\n  next:  tappass bootstrap\\n' >&2
  exit 5
fi
if [ -e ${quote(encrypted)} ]; then credential=LoadCredentialEncrypted=${PASSWORD_ID}:${encrypted}
else credential=LoadCredential=${PASSWORD_ID}:${plain}
fi
exec systemd-run --quiet --pipe --wait --collect --service-type=exec \\
  ${properties.map((property) => `--property=${quote(property)}`).join(' ')} --property="$credential" \\
  /opt/tappass/node/current/bin/node server/migrate.ts ${words.map(quote).join(' ')} </dev/null
`
  return { argv: ['sh', '-s'], effect, stdin: script }
}
