/** How a unit gets a secret: systemd reads the credential for it, so it stands in no argument and no environment. */
import type { HostTraits } from '../facts/host-trait.ts'

/** Where the credential may stand: encrypted, or plain where systemd can't encrypt. */
export function credentialPaths(id: string): readonly [encrypted: string, plain: string] {
  return [`/etc/credstore.encrypted/${id}`, `/etc/credstore/${id}`]
}

/** The line of a unit that hands it the credential `id`; without the credential the unit does not start. */
export function credentialLine({ credentialStore }: Pick<HostTraits, 'credentialStore'>, id: string): string {
  const [encrypted, plain] = credentialPaths(id)
  return credentialStore === 'encrypted'
    ? `LoadCredentialEncrypted=${id}:${encrypted}`
    : `LoadCredential=${id}:${plain}`
}

/** The same for a credential that may be absent: an empty line then takes its place (systemd.exec(5), SetCredential). */
export function optionalCredentialLines(traits: Pick<HostTraits, 'credentialStore'>, id: string): readonly string[] {
  return [credentialLine(traits, id), `SetCredential=${id}:\\n`]
}
