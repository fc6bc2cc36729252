/** What units say about storage: what they wait for on the host, and which settings count for them. */
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { isExternal, type StorageSettings } from './storage-spec.ts'

/** Settings with the address of a database; in the file of settings they are of the host's own one. */
export const DATABASE_SETTINGS = 'DATABASE_URL DATABASE_OWNER_URL'

/** For migrations of the host's own database: while that setting is brought into force, the file still has the one before. */
export const OWN_ADDRESS_LINES: readonly string[] = [
  `Environment=DATABASE_URL=postgresql://tappass@/tappass?host=${HOST_PATH.postgresSocketFolder}`,
  `Environment=DATABASE_OWNER_URL=postgresql://tappass_owner@/tappass?host=${HOST_PATH.postgresSocketFolder}`,
]

/** What an instance waits for on the host, each with a blank behind it, and the settings that do not count for it. */
export function storageOfInstance(settings: StorageSettings): Readonly<{ storageUnits: string; unset: string }> {
  const [isDatabase, isRedis] = [isExternal(settings, 'database'), isExternal(settings, 'redis')]
  const units = [...(isDatabase ? [] : [UNIT.postgres]), ...(isRedis ? [] : [UNIT.redis])]
  const unset = [...(isDatabase ? [DATABASE_SETTINGS] : []), ...(isRedis ? ['REDIS_URL'] : [])]
  return { storageUnits: units.map((name) => `${name} `).join(''), unset: unset.join(' ') }
}
