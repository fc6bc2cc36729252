/** A login to a database: by which secret, where, and what to do when it is refused. */
import type { PostgresAddress } from '../../contract/postgres-address.ts'
import type { FailureText } from '../core/failure.ts'

/** `where` is for people, without a password. */
export type DatabaseLogin = Readonly<{
  id: 'database-url' | 'database-owner-url'
  address: PostgresAddress
  where: string
}>

/** Returns what to do about a refused login, by its SQLSTATE. */
export function loginFailure({ id, where, address }: DatabaseLogin, error: Error & { code?: string }): FailureText {
  const why = error.message
  const give = `tappass bootstrap --secret ${id}=FILE`
  switch (error.code) {
    case '28P01':
      return {
        what: `the database refuses the password of ${address.user}`,
        where,
        why,
        next: `give the right one: ${give}`,
      }
    case '28000':
      return {
        what: `the database does not let ${address.user} in`,
        where,
        why,
        next: `check the role, and pg_hba.conf or the list of networks there; then ${give}`,
      }
    case '3D000':
      return {
        what: `there is no database ${address.database}`,
        where,
        why,
        next: `CREATE DATABASE ${address.database} ENCODING 'UTF8'   (there), or ${give}`,
      }
    case '53300':
      return {
        what: 'the database has no connection left',
        where,
        why,
        next: 'end some there, or raise max_connections; an instance needs 10',
      }
    case '08P01':
      return {
        what: 'a pooler refuses what the gateway says when it connects',
        where,
        why,
        next: 'PgBouncer: ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout',
      }
    default:
      return { what: 'the database could not be asked', where, why, next: `check the address; then ${give}` }
  }
}
