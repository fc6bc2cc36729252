/** systemd credentials: how units receive secrets without arguments or environment variables. */
import { HOST_PATH } from '../../contract/path.ts'
import type { HostTraits } from '../facts/host-trait.ts'

/** Returns the paths of a credential: encrypted, and plain where systemd cannot encrypt. */
export function credentialPaths(id: string): readonly [encrypted: string, plain: string] {
  return [`${HOST_PATH.encryptedCredentialsFolder}/${id}`, `${HOST_PATH.credentialsFolder}/${id}`]
}

/** Returns the line that loads the credential `id` in a unit; the unit does not start without it. */
export function credentialLine({ credentialStore }: Pick<HostTraits, 'credentialStore'>, id: string): string {
  const [encrypted, plain] = credentialPaths(id)
  return credentialStore === 'encrypted'
    ? `LoadCredentialEncrypted=${id}:${encrypted}`
    : `LoadCredential=${id}:${plain}`
}

/** Returns the lines for a credential that may be absent: an empty value takes its place (systemd.exec(5), SetCredential). */
export function optionalCredentialLines(traits: Pick<HostTraits, 'credentialStore'>, id: string): readonly string[] {
  return [credentialLine(traits, id), `SetCredential=${id}:\\n`]
}
