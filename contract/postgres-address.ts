/**
 * The address of a PostgreSQL server: the `postgresql://` string of libpq, read by one strict parser, so that a
 * mistyped option is an error and not a connection without TLS.
 */

/** The TLS mode, in libpq's words: `require` encrypts only, `verify-ca` and `verify-full` verify the server. */
export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full'

/** `host` is a name, an address, or the folder of a UNIX socket when it begins with a slash. */
export type PostgresAddress = Readonly<{
  host: string
  port: number
  database: string
  user: string
  /** In the URL for people; services read it from a secret. */
  password: string | undefined
  sslMode: SslMode
  /** File with the certificate authority in PEM; the system's authorities when undefined. */
  sslRootCert: string | undefined
  applicationName: string | undefined
  /** Whether statements stay prepared on a connection: not behind a pooler in transaction mode (`prepare=off`). */
  isPreparing: boolean
}>

const PARAMETERS = ['host', 'port', 'sslmode', 'sslrootcert', 'application_name', 'prepare']
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full']
const LOOPBACK = ['localhost', '127.0.0.1', '::1']

/**
 * Parses `postgresql://[user[:password]@][host][:port]/database[?host=…&sslmode=…&sslrootcert=…&application_name=…&prepare=on|off]`.
 * Without `sslmode`, a socket or loopback goes plain and any other host must show a valid certificate (verify-full).
 * Throws Error with a sentence that never holds the password.
 */
export function parsePostgresAddress(text: string): PostgresAddress {
  if (!/^postgres(ql)?:\/\//.test(text)) throw new Error('it has to begin with postgresql://')
  // "user@/database" is valid in libpq and not a URL to WHATWG: a placeholder host makes it one.
  const placeholderHost = 'no-host.invalid'
  const url = urlOf(text.replace(/^(postgres(?:ql)?:\/\/(?:[^/?@]*@)?)(?=[/:?]|$)/, `$1${placeholderHost}`))
  const unknown = [...url.searchParams.keys()].find((key) => !PARAMETERS.includes(key))
  if (unknown !== undefined) throw new Error(`parameter "${unknown}" is not known; known are ${PARAMETERS.join(', ')}`)
  const hostInUrl = url.hostname === placeholderHost ? '' : decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '')
  const host = url.searchParams.get('host') ?? (hostInUrl === '' ? 'localhost' : hostInUrl)
  const port = Number(url.searchParams.get('port') ?? (url.port === '' ? '5432' : url.port))
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error('the port has to be 1 to 65535')
  const user = decodeURIComponent(url.username)
  if (user === '') throw new Error('it names no user: postgresql://USER@HOST/DATABASE')
  return {
    host,
    port,
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    user,
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
    sslMode: sslModeOf(url.searchParams.get('sslmode'), host),
    sslRootCert: url.searchParams.get('sslrootcert') ?? undefined,
    applicationName: url.searchParams.get('application_name') ?? undefined,
    isPreparing: isPreparing(url.searchParams.get('prepare') ?? 'on', port),
  }
}

function urlOf(text: string): URL {
  const url = URL.parse(text)
  if (url === null) throw new Error('it is not an address: postgresql://USER@HOST:PORT/DATABASE')
  return url
}

/** 6543 is the port of Supabase's pooler in transaction mode (its manual, "Connect to your database"). */
function isPreparing(value: string, port: number): boolean {
  if (value !== 'on' && value !== 'off') throw new Error(`prepare=${value} is neither on nor off`)
  return value === 'on' && port !== 6543
}

function sslModeOf(value: string | null, host: string): SslMode {
  if (value === null) return host.startsWith('/') || LOOPBACK.includes(host) ? 'disable' : 'verify-full'
  if (SSL_MODES.includes(value)) return value as SslMode
  throw new Error(`sslmode=${value} is not one of ${SSL_MODES.join(', ')}: allow and prefer would go plain in silence`)
}

/** The role that the address logs in as. Supabase's pooler is told ROLE.PROJECT (its manual, "Connect to your database"). */
export function roleOf({ host, user }: Pick<PostgresAddress, 'host' | 'user'>): string {
  return host.endsWith('.pooler.supabase.com') ? user.replace(/\.[^.]*$/, '') : user
}

/** The address as an operator may see it: without the password. */
export function formatPostgresAddress(address: PostgresAddress): string {
  const location = address.host.startsWith('/') ? address.host : `${address.host}:${address.port}`
  return `database ${address.database} as ${address.user} at ${location}`
}
