/** The Database port over a pool of connections to a PostgreSQL server: UNIX socket, TCP or TLS. */
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { formatPostgresAddress, type PostgresAddress } from '../../contract/postgres-address.ts'
import type { SessionDatabase } from '../core/ports.ts'
import { databaseErrorOf } from '../database/database-error.ts'
import { tlsOption, typeParser } from '../database/driver-option.ts'
import { type Connection, sessionOn, transactionOn } from '../database/transaction.ts'

/** Options of `openPostgres`. Times are limits; `undefined` takes the default named there. */
export type PostgresSettings = Readonly<{
  kind: 'local' | 'supabase'
  address: PostgresAddress
  /** The authority of the server's certificate, in PEM; takes precedence over a file in the address. */
  authority?: string | undefined
  /** Takes precedence over a password in the address. */
  password?: string | undefined
  /** Tried where the password is refused: during a rotation the server takes the one, and from some moment on the other. */
  nextPassword?: string | undefined
  applicationName: string
  /** Maximum number of connections (10). */
  connectionsMax?: number | undefined
  /** Time to connect, or to wait for a free connection of the pool (5000). */
  connectTimeoutMs?: number | undefined
  /** The server cancels a longer statement; 0 is no limit (15000). */
  statementTimeoutMs?: number | undefined
  /** An idle connection is closed after this time (30000). */
  idleTimeoutMs?: number | undefined
  /** Called when an idle connection breaks; the pool opens new ones by itself. */
  onConnectionLost: (cause: Error) => void
}>

/** Opens the pool; connects on first use. Everything that it returns throws DatabaseError on failure. */
export function openPostgres(settings: PostgresSettings): SessionDatabase {
  const passwords = createPasswords(settings)
  const pool = new pg.Pool(poolConfigOf(settings, passwords))
  pool.on('error', settings.onConnectionLost)
  const { kind } = settings
  const description = formatPostgresAddress(settings.address)
  const nameOf = settings.address.isPreparing ? createStatementNames() : () => undefined
  const withConnection = <T>(work: (connection: Connection) => Promise<T>) =>
    onConnection(() => connect(pool, passwords), description, nameOf, work)
  return {
    kind,
    query: <Row>(sql: string, parameters?: readonly unknown[]) =>
      withConnection(async (connection) => (await connection.run(sql, parameters)).rows as readonly Row[]),
    script: (sql) => withConnection((connection) => connection.script(sql)),
    transaction: (work) => withConnection((connection) => transactionOn(kind, connection, 0, work)),
    session: (work) => withConnection((connection) => work(sessionOn(kind, connection, 0))),
    close: () => pool.end(),
    use: () => ({ open: pool.totalCount, idle: pool.idleCount, max: pool.options.max, waiting: pool.waitingCount }),
  }
}

function poolConfigOf(settings: PostgresSettings, passwords: Passwords): pg.PoolConfig {
  const { address } = settings
  const statementTimeoutMs = settings.statementTimeoutMs ?? 15_000
  return {
    host: address.host,
    port: address.port,
    database: address.database,
    user: address.user,
    // A function on purpose: without a password the driver would look in the environment and in ~/.pgpass.
    password: passwords.current,
    ssl: sslOf(address, settings.authority),
    application_name: address.applicationName ?? settings.applicationName,
    max: settings.connectionsMax ?? 10,
    connectionTimeoutMillis: settings.connectTimeoutMs ?? 5_000,
    idleTimeoutMillis: settings.idleTimeoutMs ?? 30_000,
    statement_timeout: statementTimeoutMs,
    // The server's own limit applies first; this one is for a server that does not respond.
    ...(statementTimeoutMs > 0 && { query_timeout: statementTimeoutMs + 5_000 }),
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    types: { getTypeParser: typeParser },
  }
}

function sslOf(address: PostgresAddress, authority: string | undefined): pg.PoolConfig['ssl'] {
  const { sslRootCert } = address
  return tlsOption(address, authority ?? (sslRootCert === undefined ? undefined : readAuthority(sslRootCert)))
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw databaseErrorOf(cause, `the certificate authority ${path} (sslrootcert) cannot be read`)
  }
}

/** Statements that are kept prepared on each connection; code that generates SQL would fill the server with them. */
const NAMES_MAX = 200

/** Returns a name for each statement: prepared once on a connection, a lookup then takes a quarter of the time. */
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

/** The passwords of the role, and which of them the server took last. */
type Passwords = Readonly<{ count: number; current: () => string; refuse: (password: string) => void }>

function createPasswords({ password, nextPassword, address }: PostgresSettings): Passwords {
  const [first, ...rest] = [password ?? address.password ?? '', ...(nextPassword === undefined ? [] : [nextPassword])]
  let [current, others] = [first, rest]
  return {
    count: 1 + rest.length,
    current: () => current,
    // Of several connections that were refused the same password, the first one changes it.
    refuse: (refused) => {
      const [other] = others
      if (refused === current && other !== undefined) [current, others] = [other, [...others.slice(1), current]]
    },
  }
}

/** invalid_password: the server knows the role, by another password. */
const INVALID_PASSWORD = '28P01'

/** Borrows a connection; one that is refused for its password is tried again with the other one. */
async function connect(pool: pg.Pool, passwords: Passwords): Promise<pg.PoolClient> {
  for (let tries = 1; ; tries++) {
    const password = passwords.current()
    try {
      return await pool.connect()
    } catch (cause) {
      if ((cause as { code?: string }).code !== INVALID_PASSWORD || tries > passwords.count) throw cause
      passwords.refuse(password)
    }
  }
}

/** Borrows a connection from the pool for `work`; one that broke meanwhile is discarded. */
async function onConnection<T>(
  borrow: () => Promise<pg.PoolClient>,
  description: string,
  nameOf: (text: string) => string | undefined,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  let client: pg.PoolClient
  try {
    client = await borrow()
  } catch (cause) {
    throw databaseErrorOf(cause, `cannot reach ${description}`, true)
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
 * Whether an error concerns the connection and not the statement: no SQLSTATE, PostgreSQL's own codes for it (08,
 * 57P), or prepared statements that a migration invalidated (0A000) or a pooler dropped (26000).
 */
function isConnectionError(sqlState: string | undefined): boolean {
  return sqlState === undefined || /^(08|57P|0A000|26000)/.test(sqlState)
}
