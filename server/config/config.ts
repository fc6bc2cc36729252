/**
 * The one reader of the environment and of credentials. Returns a typed, frozen configuration, or one error that
 * names everything that is missing or malformed. docs/reference/settings.md lists the settings.
 */
import * as v from 'valibot'
import {
  GATEWAY_HOST,
  GATEWAY_PORT,
  LOG_LEVELS,
  RATE_CALLS_DEFAULT,
  RATE_WINDOW_SECONDS_DEFAULT,
} from '../../contract/gateway.ts'
import { MADE_SECRET_NAMES } from '../../contract/secret.ts'
import { type PolicyConfig, policyOf, policyProblems } from './policy-setting.ts'
import { readSecrets, readStorage, type Secrets } from './secret.ts'
import { integer, origins, proxyAddress, toolPatterns, url } from './setting-form.ts'
import { socketsOf } from './socket-setting.ts'
import { SPIFFE_SETTINGS, type SpiffeConfig, spiffeOf, spiffeProblems } from './spiffe-setting.ts'
import { type DatabaseConfig, databaseOf, passwordsOf, type StorageKind, storageProblems } from './storage-setting.ts'
import { TRACE_SETTINGS, type TraceConfig, tracesOf, traceWarnings } from './trace-setting.ts'
import { upstreamOf, upstreamWarnings } from './upstream-setting.ts'

/** The configuration of the process. Members are grouped as the code uses them; units are in the names. */
export type Config = Readonly<{
  environment: 'development' | 'production'
  listen: Readonly<{ kind: 'descriptor'; fd: number }> | Readonly<{ kind: 'address'; host: string; port: number }>
  storage: StorageKind
  database: DatabaseConfig
  /** When a call may go on: when its entry is durable, or at most 5 ms before. `checkpointFolder` is outside the database. */
  ledger: Readonly<{ mode: 'durable' | 'grouped'; checkpointFolder: string | undefined }>
  redisUrl: string | undefined
  /** The authority of Redis' certificate, in PEM; the system's authorities when undefined. */
  redisAuthority: string | undefined
  /** What decides. */
  policy: PolicyConfig
  upstream: Readonly<{ url: string; key: string | undefined; proxy?: string }> | undefined
  instance: string
  revision: string
  logLevel: string
  limits: Readonly<{ callsMax: number; windowMs: number; bodyBytesMax: number }>
  /** Where clients reach the gateway, without a slash at its end; '' when it was not said. */
  publicUrl: string
  /** Origins whose pages may ask; `*` for all. */
  corsOrigins: readonly string[]
  hasNameDetector: boolean
  /** For how long a session is tainted after the last cause, and the tools that no answer may call in one; `*` for any characters. */
  taint: Readonly<{ lastingMs: number; tools: readonly string[] }>
  /** What SVIDs are accepted; undefined for none. */
  spiffe: SpiffeConfig | undefined
  /** Where traces of calls go; undefined for nowhere. */
  traces: TraceConfig | undefined
  drainMs: number
  notify: Readonly<{ socket: string; watchdogMs: number | undefined }> | undefined
  secrets: Secrets
  /** Second values of secrets that are being rotated: they are as good as those in `secrets`. */
  nextSecrets: Secrets
  /** Warnings for the operator at the start; none is reason enough to refuse it. */
  warnings: readonly string[]
}>

/** The environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Every problem of a configuration, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`invalid configuration:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/** The body limit of the API (tappass.md §1.0) in MB, and the largest that fits an agent's share of the memory. */
const BODY_MB_DEFAULT = 5
const BODY_MB_MAX = 32
const MB = 1024 * 1024

/** How long a taint lasts (tappass.md §2.7), and at most: thirty days. */
const TAINT_MINUTES_DEFAULT = 30
const TAINT_MINUTES_MAX = 43_200

const SETTINGS = v.object({
  TAPPASS_ENV: v.optional(
    v.picklist(['development', 'production'], 'is neither development nor production'),
    'development',
  ),
  TAPPASS_HOST: v.optional(v.string(), GATEWAY_HOST),
  TAPPASS_PORT: v.optional(integer(0, 65_535), String(GATEWAY_PORT)),
  TAPPASS_STORAGE: v.optional(v.picklist(['memory', 'local', 'supabase'], 'is none of memory, local, supabase')),
  TAPPASS_DATA_DIR: v.optional(v.string()),
  TAPPASS_CHECKPOINT_DIR: v.optional(v.string()),
  TAPPASS_LEDGER_MODE: v.optional(v.picklist(['durable', 'grouped'], 'is neither durable nor grouped'), 'durable'),
  DATABASE_URL: v.optional(v.string()),
  DATABASE_OWNER_URL: v.optional(v.string()),
  DATABASE_CA: v.optional(v.string()),
  SUPABASE_URL: v.optional(v.string()),
  REDIS_URL: v.optional(url('redis:', 'rediss:', 'unix:')),
  REDIS_CA: v.optional(v.string()),
  TAPPASS_POLICY_ENGINE: v.optional(v.picklist(['embedded', 'opa'], 'is neither embedded nor opa')),
  OPA_URL: v.optional(url('http:', 'https:', 'unix:')),
  TAPPASS_UPSTREAM_URL: v.optional(url('http:', 'https:')),
  TAPPASS_UPSTREAM_PROXY: v.optional(proxyAddress),
  TAPPASS_INSTANCE: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[A-Za-z0-9._-]{1,64}$/, 'has more than letters, digits, dots, dashes and underscores'),
    ),
    '1',
  ),
  TAPPASS_REVISION: v.optional(v.string(), ''),
  TAPPASS_LOG_LEVEL: v.optional(v.picklist(LOG_LEVELS, 'is not a log level'), 'info'),
  TAPPASS_RATE_CALLS: v.optional(integer(1, 100_000_000), String(RATE_CALLS_DEFAULT)),
  TAPPASS_RATE_WINDOW_SECONDS: v.optional(integer(1, 86_400), String(RATE_WINDOW_SECONDS_DEFAULT)),
  TAPPASS_BODY_MB: v.optional(integer(1, BODY_MB_MAX), String(BODY_MB_DEFAULT)),
  TAPPASS_PUBLIC_URL: v.optional(url('http:', 'https:')),
  TAPPASS_CORS_ORIGINS: v.optional(origins, ''),
  TAPPASS_DETECT_NAMES: v.optional(v.picklist(['on', 'off'], 'is neither on nor off'), 'off'),
  TAPPASS_TAINT_MINUTES: v.optional(integer(1, TAINT_MINUTES_MAX), String(TAINT_MINUTES_DEFAULT)),
  TAPPASS_TAINTED_TOOLS: v.optional(toolPatterns, ''),
  TAPPASS_DRAIN_SECONDS: v.optional(integer(0, 600), '30'),
  ...SPIFFE_SETTINGS,
  ...TRACE_SETTINGS,
  LISTEN_FDS: v.optional(integer(0, 100)),
  LISTEN_PID: v.optional(integer(0, 999_999_999)),
  LISTEN_FDNAMES: v.optional(v.string()),
  NOTIFY_SOCKET: v.optional(v.string()),
  WATCHDOG_USEC: v.optional(v.pipe(v.string(), v.regex(/^\d{1,15}$/, 'is not a whole number'), v.transform(Number))),
  WATCHDOG_PID: v.optional(integer(0, 999_999_999)),
})

/** The names of all settings that are not secrets. */
export const SETTING_NAMES: readonly string[] = Object.keys(SETTINGS.entries)

type Settings = v.InferOutput<typeof SETTINGS>

/** What a process is for: 'database' and 'migration' need none of the gateway's own secrets, and 'migration' is the owner's. */
export type Purpose = 'gateway' | 'database' | 'migration'

/**
 * Reads the configuration. `pid` tells whether systemd's descriptors are for this process. Throws ConfigError.
 */
export function readConfig(
  purpose: Purpose,
  environment: Environment = process.env,
  pid: number = process.pid,
): Config {
  const { settings: provided, problems: unreadable } = readGiven(environment)
  const parsed = v.safeParse(SETTINGS, provided)
  const malformed = parsed.success ? [] : parsed.issues.map((issue) => `${v.getDotPath(issue)} ${issue.message}`)
  const problems = [...unreadable, ...malformed]
  const isProduction = provided['TAPPASS_ENV'] === 'production'
  const needs = !isProduction
    ? []
    : [...(purpose === 'gateway' ? MADE_SECRET_NAMES : []), ...passwordsOf(provided, purpose === 'migration')]
  const { secrets, nextSecrets, problems: secretProblems } = readSecrets(provided, needs)
  problems.push(...secretProblems)
  if (!parsed.success) throw new ConfigError(problems)
  const settings = parsed.output
  problems.push(...storageProblems(settings), ...spiffeProblems(settings), ...policyProblems(settings))
  if (problems.length > 0) throw new ConfigError(problems)
  const sockets = socketsOf(settings, pid)
  return Object.freeze({
    environment: settings.TAPPASS_ENV,
    listen: listenOf(settings, sockets.ordinary),
    ...databaseOf(settings, { secrets, nextSecrets }, purpose === 'migration'),
    ledger: { mode: settings.TAPPASS_LEDGER_MODE, checkpointFolder: settings.TAPPASS_CHECKPOINT_DIR },
    redisUrl: settings.REDIS_URL,
    redisAuthority: settings.REDIS_CA,
    policy: policyOf(settings),
    upstream: upstreamOf(settings.TAPPASS_UPSTREAM_URL, secrets.OPENAI_API_KEY, settings.TAPPASS_UPSTREAM_PROXY),
    warnings: warningsOf(settings, secrets),
    traces: tracesOf(settings, secrets.OTEL_EXPORTER_OTLP_HEADERS),
    instance: settings.TAPPASS_INSTANCE,
    revision: settings.TAPPASS_REVISION,
    logLevel: settings.TAPPASS_LOG_LEVEL,
    limits: {
      callsMax: settings.TAPPASS_RATE_CALLS,
      windowMs: settings.TAPPASS_RATE_WINDOW_SECONDS * 1000,
      bodyBytesMax: settings.TAPPASS_BODY_MB * MB,
    },
    publicUrl: (settings.TAPPASS_PUBLIC_URL ?? '').replace(/\/+$/, ''),
    corsOrigins: settings.TAPPASS_CORS_ORIGINS,
    hasNameDetector: settings.TAPPASS_DETECT_NAMES === 'on',
    taint: { lastingMs: settings.TAPPASS_TAINT_MINUTES * 60_000, tools: settings.TAPPASS_TAINTED_TOOLS },
    spiffe: spiffeOf(settings, sockets.spiffe),
    drainMs: settings.TAPPASS_DRAIN_SECONDS * 1000,
    notify: notifyOf(settings, pid),
    secrets,
    nextSecrets,
  })
}

function warningsOf(settings: Settings, secrets: Secrets): readonly string[] {
  return [
    ...upstreamWarnings(settings.TAPPASS_UPSTREAM_URL, secrets.OPENAI_API_KEY),
    ...traceWarnings(settings.OTEL_EXPORTER_OTLP_ENDPOINT, secrets.OTEL_EXPORTER_OTLP_HEADERS),
  ]
}

/** Compose files and unit files set an unwanted setting to the empty string, which is the same as leaving it out. */
function readGiven(environment: Environment): Readonly<{ settings: Environment; problems: readonly string[] }> {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  const { settings, problems } = readStorage(given)
  return { settings: { ...given, ...settings }, problems }
}

function listenOf(settings: Settings, descriptor: number | undefined): Config['listen'] {
  if (descriptor !== undefined) return { kind: 'descriptor', fd: descriptor }
  return { kind: 'address', host: settings.TAPPASS_HOST, port: settings.TAPPASS_PORT }
}

function notifyOf({ NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID }: Settings, pid: number): Config['notify'] {
  if (!NOTIFY_SOCKET) return undefined
  const isWatched = WATCHDOG_USEC !== undefined && (WATCHDOG_PID === undefined || WATCHDOG_PID === pid)
  return { socket: NOTIFY_SOCKET, watchdogMs: isWatched ? WATCHDOG_USEC / 1000 : undefined }
}
