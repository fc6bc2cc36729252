/** Options of PostgreSQL's driver that every connection needs: TLS as an address says it, and how values are parsed. */
import pg from 'pg'
import type { PostgresAddress } from '../../contract/postgres-address.ts'
import { COLUMN_PARSERS } from './column-parser.ts'

/** Given the authority's certificate (PEM), where it is not one of the system's, returns what the driver does about TLS. */
export function tlsOption(
  { sslMode, host }: Pick<PostgresAddress, 'sslMode' | 'host'>,
  authority: string | undefined,
): pg.ClientConfig['ssl'] {
  if (sslMode === 'disable') return false
  if (sslMode === 'require') return { rejectUnauthorized: false }
  const certificate = authority === undefined ? {} : { ca: authority }
  const anyName = sslMode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}
  // Node checks the certificate against `host`, and against "localhost" when it is not told.
  return { rejectUnauthorized: true, host, ...certificate, ...anyName }
}

/** Values of columns as every adapter returns them. */
export const typeParser: typeof pg.types.getTypeParser = (id, format) =>
  format === 'binary' ? pg.types.getTypeParser(id, format) : (COLUMN_PARSERS[id] ?? pg.types.getTypeParser(id, format))
