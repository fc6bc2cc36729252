/**
 * What the role of the gateways may do with the tables, where another role owns them. The owner gives it, in the transaction
 * of each migration and after a run. A table that is not named here is out of reach for a gateway.
 */
import type { Database } from '../core/ports.ts'

/**
 * By table. Nothing of the ledger is ever updated; its rows, triggers and tables can be changed by nobody who serves calls. Gateways
 * of the release before run on beside a new schema: what they use is kept here until they are gone.
 */
export const RUNTIME_PRIVILEGES: Readonly<Record<string, readonly ('SELECT' | 'INSERT' | 'UPDATE' | 'DELETE')[]>> = {
  agents: ['SELECT', 'INSERT', 'UPDATE'],
  api_keys: ['SELECT', 'INSERT', 'UPDATE'],
  // Older checkpoints go, because a later one covers them; a salt goes when its content is erased.
  audit_checkpoints: ['SELECT', 'INSERT', 'DELETE'],
  audit_events: ['SELECT', 'INSERT'],
  audit_salts: ['SELECT', 'INSERT', 'DELETE'],
  organizations: ['SELECT'],
  schema_migrations: ['SELECT'],
  session_taints: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
}

/** Takes everything away first, in the same transaction: a privilege that a release no longer needs goes too. */
function revocation(role: string): string {
  return `REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, ${role};
    REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, ${role};
    REVOKE ALL ON ALL ROUTINES IN SCHEMA public FROM PUBLIC, ${role};
    REVOKE CREATE ON SCHEMA public FROM PUBLIC, ${role};
    GRANT USAGE ON SCHEMA public TO ${role};`
}

/** Gives `role` its privileges on the tables that there are. Throws DatabaseError when there is no such role. */
export async function grantRuntimePrivileges(inTransaction: Database, role: string): Promise<void> {
  const name = `"${role.replaceAll('"', '""')}"`
  const tables = await inTransaction.query<{ table: string }>(
    `SELECT c.relname AS table FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname = ANY($1::text[])`,
    [Object.keys(RUNTIME_PRIVILEGES)],
  )
  const grants = tables.map(
    ({ table }) => `GRANT ${RUNTIME_PRIVILEGES[table]?.join(', ')} ON public.${table} TO ${name};`,
  )
  await inTransaction.script([revocation(name), ...grants].join('\n'))
}
