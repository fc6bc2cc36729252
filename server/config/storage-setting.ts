/** The settings of the storage: which database, as which of its roles, and what contradicts. */

import { type PostgresAddress, parsePostgresAddress, roleOf } from '../../contract/postgres-address.ts'
import type { SecretName } from '../../contract/secret.ts'
import type { Secrets } from './secret.ts'

/** Where the data are. */
export type StorageKind = 'memory' | 'local' | 'supabase'

/** The database, and as which of its roles. */
export type DatabaseConfig =
  | Readonly<{
      kind: 'postgres'
      address: PostgresAddress
      /** Of the server's certificate, in PEM; what the address says, or the system's authorities, when undefined. */
      authority: string | undefined
      password: string | undefined
      /** Tried where the other one is refused. */
      nextPassword: string | undefined
      /** The tables belong to a role of their own, so that migrations are a step of their own. */
      hasOwner: boolean
      /** The role of the gateways, which an owner that migrates gives its privileges. */
      runtimeRole: string | undefined
    }>
  | Readonly<{ kind: 'pglite'; folder: string | undefined }>

/** The settings that it is about. */
export type StorageSettings = Readonly<{
  TAPPASS_ENV: 'development' | 'production'
  TAPPASS_STORAGE?: StorageKind | undefined
  TAPPASS_DATA_DIR?: string | undefined
  DATABASE_URL?: string | undefined
  DATABASE_OWNER_URL?: string | undefined
  DATABASE_CA?: string | undefined
  SUPABASE_URL?: string | undefined
}>

/** Where Supabase shows the connection string. */
const SUPABASE_HINT = '(Supabase → Connect → Session pooler, postgresql://…)'

/** Returns the secrets that hold the password of the process's role, unless it is in the address. */
export function passwordsOf(
  { DATABASE_URL, DATABASE_OWNER_URL }: Readonly<Record<string, string | undefined>>,
  isMigration: boolean,
): readonly SecretName[] {
  const isOwner = isMigration && DATABASE_OWNER_URL !== undefined
  const address = isOwner ? DATABASE_OWNER_URL : DATABASE_URL
  const found = address === undefined ? undefined : parse(address).address
  if (found === undefined || found.password !== undefined) return []
  return [isOwner ? 'POSTGRES_OWNER_PASSWORD' : 'POSTGRES_PASSWORD']
}

/** The address, or what is wrong with it. */
function parse(text: string): Readonly<{ address?: PostgresAddress; problem?: string }> {
  try {
    return { address: parsePostgresAddress(text) }
  } catch (cause) {
    return { problem: (cause as Error).message }
  }
}

/** Returns what is missing, malformed or contradictory. */
export function storageProblems(settings: StorageSettings): readonly string[] {
  const { TAPPASS_ENV, TAPPASS_STORAGE, TAPPASS_DATA_DIR, DATABASE_URL, DATABASE_OWNER_URL, SUPABASE_URL } = settings
  const problems: string[] = []
  const storage = storageOf(settings)
  if (SUPABASE_URL && DATABASE_URL) problems.push('DATABASE_URL and SUPABASE_URL are both set; give one')
  if (storage === 'supabase' && !SUPABASE_URL) {
    problems.push(`SUPABASE_URL is missing: paste the connection string ${SUPABASE_HINT}`)
  }
  if (SUPABASE_URL && /^https?:/.test(SUPABASE_URL)) {
    problems.push(`SUPABASE_URL is the address of the web API; paste the connection string instead ${SUPABASE_HINT}`)
  } else if (SUPABASE_URL && parse(SUPABASE_URL).problem) {
    problems.push(`SUPABASE_URL: ${parse(SUPABASE_URL).problem} ${SUPABASE_HINT}`)
  }
  if (DATABASE_URL && parse(DATABASE_URL).problem) problems.push(`DATABASE_URL: ${parse(DATABASE_URL).problem}`)
  if (DATABASE_OWNER_URL) problems.push(...ownerProblems(DATABASE_OWNER_URL, DATABASE_URL))
  if (TAPPASS_STORAGE === 'memory' && (DATABASE_URL || SUPABASE_URL)) {
    problems.push('TAPPASS_STORAGE is memory, but a database is given as well; leave one of them out')
  }
  if (storage === 'memory' && TAPPASS_ENV === 'production') {
    problems.push(
      'TAPPASS_STORAGE memory forgets its ledger at every restart; in production give DATABASE_URL or SUPABASE_URL',
    )
  }
  if (storage === 'local' && !DATABASE_URL && !TAPPASS_DATA_DIR) {
    problems.push('TAPPASS_DATA_DIR is missing: local storage needs a folder, or DATABASE_URL')
  }
  return problems
}

function ownerProblems(ownerUrl: string, url: string | undefined): readonly string[] {
  if (!url) return ['DATABASE_OWNER_URL is set without DATABASE_URL, the address of the gateways']
  const [owner, runtime] = [parse(ownerUrl), parse(url)]
  if (owner.problem) return [`DATABASE_OWNER_URL: ${owner.problem}`]
  return owner.address?.user === runtime.address?.user
    ? ['DATABASE_OWNER_URL has the user of DATABASE_URL; with one role for everything leave it out']
    : []
}

function storageOf({ TAPPASS_STORAGE, SUPABASE_URL, DATABASE_URL }: StorageSettings): StorageKind {
  return TAPPASS_STORAGE ?? (SUPABASE_URL ? 'supabase' : DATABASE_URL ? 'local' : 'memory')
}

/** Returns the database of valid settings; `isMigration` is for the process that migrates, as the owner of the tables where there is one. */
export function databaseOf(
  settings: StorageSettings,
  { secrets, nextSecrets }: Readonly<{ secrets: Secrets; nextSecrets: Secrets }>,
  isMigration: boolean,
): Readonly<{ storage: StorageKind; database: DatabaseConfig }> {
  const storage = storageOf(settings)
  const isSupabase = storage === 'supabase'
  const url = (isSupabase ? settings.SUPABASE_URL : settings.DATABASE_URL) ?? ''
  if (url === '') {
    const folder = storage === 'local' ? settings.TAPPASS_DATA_DIR : undefined
    return { storage, database: { kind: 'pglite', folder } }
  }
  const address = parsePostgresAddress(url)
  const ownerUrl = settings.DATABASE_OWNER_URL
  const hasOwner = ownerUrl !== undefined
  const authority = settings.DATABASE_CA
  if (isMigration && hasOwner) {
    const owner = parsePostgresAddress(ownerUrl)
    const [password, nextPassword] = [secrets.POSTGRES_OWNER_PASSWORD, nextSecrets.POSTGRES_OWNER_PASSWORD]
    return {
      storage,
      database: {
        ...{ kind: 'postgres', address: owner, authority, password, nextPassword, hasOwner },
        runtimeRole: roleOf(address),
      },
    }
  }
  const password = isSupabase ? secrets.SUPABASE_KEY : secrets.POSTGRES_PASSWORD
  const nextPassword = isSupabase ? undefined : nextSecrets.POSTGRES_PASSWORD
  return {
    storage,
    database: { kind: 'postgres', address, authority, password, nextPassword, hasOwner, runtimeRole: undefined },
  }
}
