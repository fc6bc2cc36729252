/**
 * Addresses of a database and a Redis that somebody else runs. They hold passwords, so they come as credentials like secrets do: their names,
 * the ids of their credentials, and how each must look.
 */
import { X509Certificate } from 'node:crypto'
import { type PostgresAddress, parsePostgresAddress } from './postgres-address.ts'
import { parseRedisAddress, type RedisAddress } from './redis-address.ts'

/** Their names, which are also those of settings. `…_CA` is the authority that has signed the server's certificate, in PEM. */
export const STORAGE_NAMES = ['DATABASE_URL', 'DATABASE_OWNER_URL', 'DATABASE_CA', 'REDIS_URL', 'REDIS_CA'] as const

/** One of them. */
export type StorageName = (typeof STORAGE_NAMES)[number]

/** The id of the credential of each. */
export const STORAGE_CREDENTIAL = {
  DATABASE_URL: 'database-url',
  DATABASE_OWNER_URL: 'database-owner-url',
  DATABASE_CA: 'database-ca',
  REDIS_URL: 'redis-url',
  REDIS_CA: 'redis-ca',
} as const satisfies Record<StorageName, string>

/** The id of one. */
export type StorageCredentialId = (typeof STORAGE_CREDENTIAL)[StorageName]

/** All ids, in the order of the names. */
export const STORAGE_CREDENTIAL_IDS: readonly StorageCredentialId[] = STORAGE_NAMES.map(
  (name) => STORAGE_CREDENTIAL[name],
)

/** The address of a database for a server: not on this machine's disk, with its password, and with a certificate authority that is sent along. */
export function parseServerDatabase(text: string): PostgresAddress {
  const address = parsePostgresAddress(text)
  if (address.host.startsWith('/')) throw new Error('it is a socket on one machine: a host and a port are needed')
  if (address.password === undefined) throw new Error('it has no password: postgresql://USER:PASSWORD@HOST/DATABASE')
  if (address.sslRootCert !== undefined)
    throw new Error('sslrootcert names a file of one machine: give the authority as the secret database-ca')
  return address
}

function databaseProblem(text: string): string | undefined {
  return thrownBy(() => parseServerDatabase(text))
}

function redisProblem(text: string): string | undefined {
  return thrownBy((): RedisAddress => parseRedisAddress(text))
}

function authorityProblem(text: string): string | undefined {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  const isReadable =
    blocks.length > 0 && thrownBy(() => blocks.map((block) => new X509Certificate(block))) === undefined
  return isReadable ? undefined : 'it is not a certificate in PEM'
}

function thrownBy(parse: () => unknown): string | undefined {
  try {
    parse()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const CHECKS: Readonly<Record<StorageCredentialId, (text: string) => string | undefined>> = {
  'database-url': databaseProblem,
  'database-owner-url': databaseProblem,
  'database-ca': authorityProblem,
  'redis-url': redisProblem,
  'redis-ca': authorityProblem,
}

/** Returns what is wrong with the text of the credential `id`, as a sentence that never holds it; undefined when nothing is, and for any other id. */
export function storageCredentialProblem(id: string, text: string): string | undefined {
  const known = STORAGE_CREDENTIAL_IDS.find((each) => each === id)
  return known === undefined ? undefined : CHECKS[known](text)
}
