/** The setting `storage`: whether PostgreSQL and Redis run on the host, in containers of ours, or somewhere else. */
import * as v from 'valibot'
import { databaseLabel } from '../../contract/moved-database.ts'
import { parsePostgresAddress } from '../../contract/postgres-address.ts'
import { STORAGE_CREDENTIAL_IDS, type StorageCredentialId } from '../../contract/storage.ts'
import type { ProvidedSecret } from '../artifacts/artifact.ts'

type Place = 'container' | 'external'

/** What is found is not repeated: somebody may write an address here, with its password. */
const place = v.optional(
  v.custom<Place>(
    (found) => found === 'container' || found === 'external',
    'must be container or external; an address is a secret: docs/how-to/external-storage.md',
  ),
  'container',
)

/** `external`: somebody else runs it, and its address is a secret (`database-url`, `redis-url`). */
export const storageSchema = v.optional(v.strictObject({ database: place, redis: place }), {})

/** The two parts. */
export type StoragePart = keyof v.InferOutput<typeof storageSchema>

/** The setting; without one both are in containers. */
export type StorageSettings = Readonly<{
  storage?: Readonly<Record<StoragePart, Place>> | undefined
}>

/** Whether somebody else runs it. */
export function isExternal({ storage }: StorageSettings, part: StoragePart): boolean {
  return storage?.[part] === 'external'
}

/** Whether the host needs an engine for containers. */
export function needsContainers(settings: StorageSettings): boolean {
  return !isExternal(settings, 'database') || !isExternal(settings, 'redis')
}

/** The part that each secret is of. */
export function partOf(id: StorageCredentialId): StoragePart {
  return id.startsWith('database-') ? 'database' : 'redis'
}

/** The secret that its part does not work without. */
export const ADDRESS_ID = { database: 'database-url', redis: 'redis-url' } as const satisfies Record<
  StoragePart,
  StorageCredentialId
>

/** Returns the ids of the secrets of what is external, those of the database first. */
export function storageSecretIds(settings: StorageSettings): readonly StorageCredentialId[] {
  return STORAGE_CREDENTIAL_IDS.filter((id) => isExternal(settings, partOf(id)))
}

/** What each process of the gateway receives of them: the owner's address is for migrations alone. */
export function gatewayStorageIds(settings: StorageSettings): readonly StorageCredentialId[] {
  return storageSecretIds(settings).filter((id) => id !== 'database-owner-url')
}

/** What migrations receive of them. */
export function migrationStorageIds(settings: StorageSettings): readonly StorageCredentialId[] {
  return storageSecretIds(settings).filter((id) => partOf(id) === 'database')
}

/** Returns why secrets that are given can't be what is meant, undefined when they can: an address comes with its part, and brings the others along. */
export function storageSecretProblem(settings: StorageSettings, given: readonly string[]): string | undefined {
  const ids = STORAGE_CREDENTIAL_IDS.filter((id) => given.includes(id))
  const unused = ids.find((id) => !isExternal(settings, partOf(id)))
  if (unused !== undefined)
    return `the secret ${unused} is given, and storage.${partOf(unused)} is container: the host would not use it`
  const alone = ids.find((id) => !ids.includes(ADDRESS_ID[partOf(id)]))
  if (alone === undefined) return undefined
  return `the secret ${alone} is given without ${ADDRESS_ID[partOf(alone)]}: what belongs to one address comes together`
}

/** Returns the name of the database elsewhere whose address the command line gives; undefined without one. What is wrong with it was said when it was read. */
export function givenDatabase(secrets: Readonly<Record<string, ProvidedSecret>>): string | undefined {
  const given = secrets[ADDRESS_ID.database]?.readValue().trim()
  return given === undefined ? undefined : databaseLabel(parsePostgresAddress(given))
}
