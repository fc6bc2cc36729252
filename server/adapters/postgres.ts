/** The Database port over a pool of connections to a PostgreSQL server: UNIX socket, TCP or TLS. */
import { readFileSync } from 'node:fs'
import pg from 'pg'
import type { SessionDatabase } from '../core/ports.ts'
import { COLUMN_PARSERS } from '../database/column-parser.ts'
import { databaseErrorOf } from '../database/database-error.ts'
import { formatPostgresAddress, type PostgresAddress } from '../database/postgres-address.ts'
import { type Connection, sessionOn, transactionOn } from '../database/transaction.ts'

/** What `openPostgres` needs to know. Times are limits; `undefined` takes the default named there. */
export type PostgresSettings = Readonly<{
  kind: 'local' | 'supabase'
  address: PostgresAddress
  /** Goes before a password in the address. */
  password?: string | undefined
  applicationName: string
  /** Connections at most (10). */
  connectionsMax?: number | undefined
  /** Until a connection stands, or one of the pool is free (5000). */
  connectTimeoutMs?: number | undefined
  /** A statement longer than this is ended by the server; 0 is without limit (15000). */
  statementTimeoutMs?: number | undefined
  /** A connection unused for so long is closed (30000). */
  idleTimeoutMs?: number | undefined
  /** Hears of connections that broke while nobody used them; the pool opens new ones by itself. */
  onConnectionLost: (cause: Error) => void
}>

/** Opens the pool; connects on first use. Everything it returns throws DatabaseError when the database can't or won't. */
export function openPostgres(settings: PostgresSettings): SessionDatabase {
  const pool = new pg.Pool(poolConfigOf(settings))
  pool.on('error', settings.onConnectionLost)
  const { kind } = settings
  const description = formatPostgresAddress(settings.address)
  const nameOf = settings.address.isPreparing ? createStatementNames() : () => undefined
  const withConnection = <T>(work: (connection: Connection) => Promise<T>) =>
    onConnection(pool, description, nameOf, work)
  return {
    kind,
    query: <Row>(sql: string, parameters?: readonly unknown[]) =>
      withConnection(async (connection) => (await connection.run(sql, parameters)).rows as readonly Row[]),
    script: (sql) => withConnection((connection) => connection.script(sql)),
    transaction: (work) => withConnection((connection) => transactionOn(kind, connection, 0, work)),
    session: (work) => withConnection((connection) => work(sessionOn(kind, connection, 0))),
    close: () => pool.end(),
  }
}

function poolConfigOf(settings: PostgresSettings): pg.PoolConfig {
  const { address } = settings
  const statementTimeoutMs = settings.statementTimeoutMs ?? 15_000
  return {
    host: address.host,
    port: address.port,
    database: address.database,
    user: address.user,
    // A function on purpose: for an absent one the driver would go and look in the environment and in ~/.pgpass.
    password: () => settings.password ?? address.password ?? '',
    ssl: sslOf(address),
    application_name: address.applicationName ?? settings.applicationName,
    max: settings.connectionsMax ?? 10,
    connectionTimeoutMillis: settings.connectTimeoutMs ?? 5_000,
    idleTimeoutMillis: settings.idleTimeoutMs ?? 30_000,
    statement_timeout: statementTimeoutMs,
    // The server's own limit comes first; this one is for a server that is silent.
    ...(statementTimeoutMs > 0 && { query_timeout: statementTimeoutMs + 5_000 }),
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    types: { getTypeParser: typeParser },
  }
}

function sslOf({ sslMode, sslRootCert, host }: PostgresAddress): pg.PoolConfig['ssl'] {
  if (sslMode === 'disable') return false
  if (sslMode === 'require') return { rejectUnauthorized: false }
  const certificate = sslRootCert === undefined ? {} : { ca: readAuthority(sslRootCert) }
  const anyName = sslMode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}
  // Node checks the certificate against `host`, and against "localhost" when it is not told.
  return { rejectUnauthorized: true, host, ...certificate, ...anyName }
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw databaseErrorOf(cause, `the certificate authority ${path} (sslrootcert) cannot be read`)
  }
}

const typeParser: typeof pg.types.getTypeParser = (id, format) =>
  format === 'binary' ? pg.types.getTypeParser(id, format) : (COLUMN_PARSERS[id] ?? pg.types.getTypeParser(id, format))

/** Distinct statements that are kept prepared on each connection; code that builds texts would fill servers with them. */
const NAMES_MAX = 200

/** Returns each text a name of its own: prepared once on a connection, a look-up then takes a quarter of the time. */
function createStatementNames(): (text: string) => string | undefined {
  const names = new Map<string, string>()
  return (text) => {
    const known = names.get(text)
    if (known !== undefined || names.size >= NAMES_MAX) return known
    const name = `s${names.size}`
    names.set(text, name)
    return name
  }
}

/** Takes a connection from the pool for the time of `work`; one that broke meanwhile is thrown away. */
async function onConnection<T>(
  pool: pg.Pool,
  description: string,
  nameOf: (text: string) => string | undefined,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  let client: pg.PoolClient
  try {
    client = await pool.connect()
  } catch (cause) {
    throw databaseErrorOf(cause, `cannot reach ${description}`)
  }
  let broken = false
  const answer = async (config: pg.QueryConfig & { queryMode?: 'extended' }) => {
    try {
      return await client.query(config)
    } catch (cause) {
      const error = databaseErrorOf(cause, 'database')
      broken ||= isConnectionError(error.sqlState)
      throw error
    }
  }
  const connection: Connection = {
    // The extended protocol takes one statement only, also when there are no parameters.
    run: (text, parameters) => {
      const name = nameOf(text)
      return answer({ text, values: [...(parameters ?? [])], queryMode: 'extended', ...(name && { name }) })
    },
    script: async (text) => {
      await answer({ text })
    },
  }
  const onError = () => {
    broken = true
  }
  client.on('error', onError)
  try {
    return await work(connection)
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

/**
 * Whether an error tells about the connection and not about the statement: no SQLSTATE at all, PostgreSQL's own words for
 * it (08, 57P), or statements prepared on it that a migration outdated (0A000) or a pooler took away (26000).
 */
function isConnectionError(sqlState: string | undefined): boolean {
  return sqlState === undefined || /^(08|57P|0A000|26000)/.test(sqlState)
}
