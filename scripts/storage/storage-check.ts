/** Everything that is looked at of external storage before a run: what the command line gives, from the host that shall use it. */
import { STORAGE_CREDENTIAL_IDS, type StorageCredentialId } from '../../contract/storage.ts'
import type { ProvidedSecret } from '../artifacts/artifact.ts'
import { parsePins } from '../artifacts/pin.ts'
import { checkDatabase } from './database-check.ts'
import { allFindings, type Dial, NOTHING_FOUND, type StorageFindings, type VersionFloors } from './finding.ts'
import { checkRedis } from './redis-check.ts'
import { type StorageSettings, storageSecretProblem } from './storage-spec.ts'

/** The settings and the secrets of the command line. */
export type StorageSpec = StorageSettings & Readonly<{ secrets: Readonly<Record<string, ProvidedSecret>> }>

function floorsOf(versions: string, name: 'postgres' | 'redis'): VersionFloors {
  const { floors, external } = parsePins(versions)
  const { 'at-least': atLeast, because } = external[name]
  const pinned = floors[name]
  return { atLeast, because, pinned: pinned && { atLeast: pinned['at-least'], because: pinned.because } }
}

/**
 * Looks at what the command line gives; what a host has stored already was looked at when it was given. `versions` is the text of
 * `versions.yaml`. Never throws for what is wrong there.
 */
export async function checkStorage(dial: Dial, spec: StorageSpec, versions: string): Promise<StorageFindings> {
  const given = STORAGE_CREDENTIAL_IDS.filter((id) => spec.secrets[id] !== undefined)
  if (given.length === 0) return NOTHING_FOUND
  const problem = storageSecretProblem(spec, given)
  if (problem !== undefined) {
    const next = 'docs/how-to/external-storage.md shows the setting and its secrets'
    return { refusals: [{ what: problem, next }], warnings: [] }
  }
  const text = (id: StorageCredentialId) => spec.secrets[id]?.readValue() as string | undefined
  const [database, redis] = [text('database-url'), text('redis-url')]
  const looks = [
    ...(database === undefined
      ? []
      : [
          checkDatabase(
            dial,
            { url: database, ownerUrl: text('database-owner-url'), authority: text('database-ca') },
            floorsOf(versions, 'postgres'),
          ),
        ]),
    ...(redis === undefined
      ? []
      : [checkRedis(dial, { url: redis, authority: text('redis-ca') }, floorsOf(versions, 'redis'))]),
  ]
  return allFindings(await Promise.all(looks))
}
