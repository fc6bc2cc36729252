/** A secret kept on the host as an encrypted systemd credential, made there or handed in by the operator. */
import type { ProvidedSecret } from '../core/local-file.ts'
import type { Resource } from '../core/resource.ts'

/**
 * How a secret is made: `api-key` is `tp_` and 32 random bytes (base64url); `token` 48 bytes base64url; `password` 24 bytes base64url;
 * `bytes32-base64` 32 bytes base64; `p256-pem` a P-256 private key.
 */
export type SecretKind = 'api-key' | 'token' | 'password' | 'bytes32-base64' | 'p256-pem'

/**
 * `id` is the credential's name. With `make` it is made on the host when it is absent; while one of the `guard`
 * paths exists there (data that need the old value) making it is refused. With `provided` it is the operator's,
 * replaced only when the one on the host differs. `isShownOnce` leaves a marker in /var/lib/tappass/unshown, so that bootstrap shows
 * the value once.
 */
export type SecretOptions = Readonly<
  { id: string } & (
    | { make: SecretKind; guard?: readonly string[]; isShownOnce?: boolean; provided?: ProvidedSecret | undefined }
    | { make?: never; provided: ProvidedSecret }
  )
>

/** The credential at /etc/credstore.encrypted/ID, or /etc/credstore/ID where systemd can't encrypt. */
export const secret = (options: SecretOptions): Resource => {
  throw new Error(`not written yet: ${options.id}`)
}
