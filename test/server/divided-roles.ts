/** The roles of a host's database on a server for tests: what the start of the server there does (templates/postgres/role.sql). */
import { join } from 'node:path'
import { demand } from '../lab/execution.ts'
import type { PostgresServer } from '../postgres-server.ts'

const ROLE_SQL = join(import.meta.dirname, '../../templates/postgres/role.sql')

/** Passwords that have to be quoted. */
export const ROLE_PASSWORDS = { owner: "o'wner", runtime: 'ga"te way' } as const

/** Does what tappass-postgres.service does once the server responds. */
export async function divideRoles(
  server: PostgresServer,
  { owner, runtime }: Readonly<{ owner: string; runtime: string }> = ROLE_PASSWORDS,
): Promise<void> {
  const stdin = [owner, runtime].map((password) => `${Buffer.from(password).toString('base64')}\n`).join('')
  const login = ['--host', server.folder, '--port', `${server.port}`, '--username', 'postgres', '--dbname', 'postgres']
  await demand([server.program('psql'), '--no-psqlrc', '--quiet', ...login, '--file', ROLE_SQL], { stdin })
}

/** The address of the database as one of its roles. */
export function roleUrl(server: PostgresServer, role: string): string {
  return server.socketUrl().replace('tappass@', `${role}@`)
}
