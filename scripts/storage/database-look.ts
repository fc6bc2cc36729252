/** One connection to PostgreSQL, over a stream from the host: what the server says of itself and of the role that logged in. */
import type { Duplex } from 'node:stream'
import pg from 'pg'
import type { PostgresAddress } from '../../contract/postgres-address.ts'
import { type Dial, DialError, dialled, TlsError } from './finding.ts'

/** `identity` is the same for two addresses of one database. */
export type DatabaseFacts = Readonly<{
  version: string
  encoding: string
  role: string
  isSuperuser: boolean
  isStandby: boolean
  isCreator: boolean
  identity: string
  /** Two connections had one process: a pooler hands it on after each transaction. */
  isShared: boolean
  /** Of the role that is asked about. */
  hasRole: boolean
  /** Roles of a web API over the database (Supabase's PostgREST, whose key is in every browser) that may use tables which this role has made, or makes. */
  exposedTo: readonly string[]
}>

const SQL = `SELECT current_setting('server_version_num')::int AS number,
  current_setting('server_encoding') AS encoding, current_user AS role,
  (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS "isSuperuser",
  pg_catalog.pg_is_in_recovery() AS "isStandby",
  coalesce(has_schema_privilege(to_regnamespace('public')::oid, 'CREATE'), false) AS "isCreator",
  (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) || ' ' || pg_catalog.pg_postmaster_start_time() AS identity,
  EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1) AS "hasRole",
  ARRAY(SELECT DISTINCT r.rolname::text FROM pg_catalog.pg_roles r JOIN (
    SELECT a.grantee FROM pg_catalog.pg_default_acl d, LATERAL pg_catalog.aclexplode(d.defaclacl) a
      WHERE d.defaclobjtype = 'r' AND d.defaclrole = to_regrole(quote_ident(current_user))
        AND d.defaclnamespace IN (0, coalesce(to_regnamespace('public')::oid, 0))
    UNION SELECT a.grantee FROM pg_catalog.pg_class c, LATERAL pg_catalog.aclexplode(c.relacl) a
      WHERE c.relnamespace = to_regnamespace('public') AND c.relkind = 'r' AND c.relname IN ('agents', 'api_keys', 'audit_events')
  ) AS granted ON granted.grantee = r.oid WHERE r.rolname IN ('anon', 'authenticated') ORDER BY 1) AS "exposedTo"`

const TIMEOUT_MS = 15_000

/** What pg wants of a socket that is connected already. */
function asConnected(stream: Duplex): Duplex {
  const missing = {
    connect: () => process.nextTick(() => stream.emit('connect')),
    setNoDelay: () => stream,
    setKeepAlive: () => stream,
    ref: () => stream,
    unref: () => stream,
  }
  return Object.assign(stream, missing)
}

function sslOf({ sslMode, host }: PostgresAddress, authority: string | undefined): pg.ClientConfig['ssl'] {
  if (sslMode === 'disable') return false
  if (sslMode === 'require') return { rejectUnauthorized: false }
  const anyName = sslMode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}
  return { rejectUnauthorized: true, host, ...(authority === undefined ? {} : { ca: authority }), ...anyName }
}

/** 160002 is 16.2, and 15.0 stands for 15. */
function versionOf(number: number): string {
  return `${Math.floor(number / 10_000)}.${number % 10_000}.0`
}

/** pg passes on what TLS says; PostgreSQL's own errors have a SQLSTATE of five characters. */
function explained(error: Error & { code?: string }): Error {
  const isTls = /certificate|SSL|TLS|ALTNAME|self.signed|issuer/i.test(`${error.code ?? ''} ${error.message}`)
  return isTls && !/^[0-9A-Z]{5}$/.test(error.code ?? '') ? new TlsError(error.message, { cause: error }) : error
}

type Login = Readonly<{ address: PostgresAddress; authority: string | undefined }>

/** Logs in, with the parameters that the gateway sends, too: a pooler may refuse them. */
async function withClient<T>(dial: Dial, login: Login, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { address, authority } = login
  const stream = asConnected(await dialled(dial, address.host, address.port))
  const client = new pg.Client({
    host: address.host,
    port: address.port,
    database: address.database,
    user: address.user,
    password: address.password ?? '',
    ssl: sslOf(address, authority),
    stream: () => stream as never,
    application_name: 'tappass-preflight',
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    statement_timeout: TIMEOUT_MS,
    idle_in_transaction_session_timeout: TIMEOUT_MS,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
    stream.destroy()
  }
}

async function processOf(client: pg.Client): Promise<unknown> {
  return (await client.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid')).rows[0]?.pid
}

/** Logs in and asks; `role` is the one that is asked about. Throws `DialError`, `TlsError`, or what PostgreSQL says. */
export async function lookAtDatabase(
  dial: Dial,
  { role, ...login }: Login & Readonly<{ role: string }>,
): Promise<DatabaseFacts> {
  try {
    return await withClient(dial, login, async (client) => {
      const { rows } = await client.query<Omit<DatabaseFacts, 'version' | 'isShared'> & { number: number }>(SQL, [role])
      const [{ number, ...facts }] = rows as [(typeof rows)[number]]
      // Nobody else gets the process of a session, as long as it lasts.
      const [own, other] = [await processOf(client), await withClient(dial, login, processOf)]
      return { ...facts, version: versionOf(number), isShared: own === other }
    })
  } catch (error) {
    throw error instanceof DialError ? error : explained(error as Error)
  }
}
