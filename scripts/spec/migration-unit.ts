/** The unit that runs the migrations: at boot, and once, without further attempts, while a release is brought into force. */
import { HOST_PATH } from '../../contract/path.ts'
import { nextCredentialId } from '../../contract/secret.ts'
import type { StorageCredentialId } from '../../contract/storage.ts'
import { render } from '../core/template.ts'
import type { HostTraits } from '../facts/host-trait.ts'
import { credentialLine, optionalCredentialLines } from '../secrets/credential.ts'
import { OWNER_SECRET_ID } from '../secrets/secret-id.ts'
import { ADDRESS_ID, isExternal, migrationStorageIds } from '../storage/storage-spec.ts'
import { DATABASE_SETTINGS, OWN_ADDRESS_LINES } from '../storage/storage-unit.ts'
import type { HostSpec } from './host-spec.ts'
import { memoryLimits } from './memory-limit.ts'

/** An address is needed; the rest of it may be absent. */
export function storageLines(traits: HostTraits, ids: readonly StorageCredentialId[]): readonly string[] {
  const addresses: readonly string[] = Object.values(ADDRESS_ID)
  return ids.flatMap((id) =>
    addresses.includes(id) ? [credentialLine(traits, id)] : optionalCredentialLines(traits, id),
  )
}

/** Returns its text on a host. `isFinishing`: also those migrations that wait until their release is accepted. */
export function migrationUnit(
  template: string,
  programs: Readonly<{ release: string; node: string }>,
  spec: HostSpec,
  { isBoot, isFinishing }: Readonly<{ isBoot: boolean; isFinishing: boolean }>,
) {
  return (traits: HostTraits): string =>
    render(template, {
      ...{ ...programs, isBoot, isFinishing },
      memory: memoryLimits(spec, traits.memoryMegabytes),
      files: HOST_PATH.gatewayEnvironment,
      unset: isExternal(spec, 'database') ? DATABASE_SETTINGS : '',
      credentials: isExternal(spec, 'database')
        ? storageLines(traits, migrationStorageIds(spec))
        : [
            credentialLine(traits, OWNER_SECRET_ID),
            ...optionalCredentialLines(traits, nextCredentialId(OWNER_SECRET_ID)),
            ...(isBoot ? [] : OWN_ADDRESS_LINES),
          ],
    })
}
