/** The password of a role of the database, set there from a credential while the server runs. */
import { ROLE } from '../../contract/database-role.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { scriptCommand } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import type { HostTraits } from '../facts/host-trait.ts'
import { storedPath, valueScript } from './credential-store.ts'
import type { GeneratedSecretId } from './secret-id.ts'

/** The roles of the database that have a password, by the secret that holds it. */
export const DATABASE_ROLES: Readonly<Partial<Record<GeneratedSecretId, string>>> = {
  'postgres-password': ROLE.gateway,
  'postgres-owner-password': ROLE.owner,
}

type Store = HostTraits['credentialStore']

/** What the database was told last: the digest of the credential's file. The unit of the server writes it at each start, too. */
export function passwordRecordPath(id: string): string {
  return `${HOST_PATH.revisionFolder}/${id}`
}

/**
 * Returns the command that gives a role the password that a credential holds. The value goes to the server on standard input, in base64,
 * and is kept out of its log even if the statement fails.
 */
export function setPasswordCommand(store: Store, role: string, id: string): Command {
  const script = `value=$(${valueScript(store, id)}); [ -n "$value" ]; encoded=$(printf %s "$value" | base64 -w0)
printf '%s\\n' 'SET log_statement = none;' 'SET log_min_error_statement = panic;' 'SET log_min_duration_statement = -1;' \\
  "SELECT pg_catalog.format('ALTER ROLE %I PASSWORD %L', '$1', pg_catalog.convert_from(pg_catalog.decode('$encoded', 'base64'), 'UTF8')) \\\\gexec" |
  docker exec --interactive tappass-postgres psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=VERBOSITY=terse \\
  --host /tappass/run --username postgres --dbname postgres`
  return scriptCommand(script, [role])
}

/** Returns the command that records what the database was told. */
export function recordPasswordCommand(store: Store, id: string): Command {
  return scriptCommand('digest=$(sha256sum <"$1"); printf "%s\\n" "${digest%% *}" >"$2"', [
    storedPath(store, id),
    passwordRecordPath(id),
  ])
}
