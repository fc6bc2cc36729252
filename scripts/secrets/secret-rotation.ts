/** How each secret is rotated: which ones overlap, who ends the overlap, and of which one earlier values are kept. */
import { nextCredentialId } from '../../contract/secret.ts'
import { GATEWAY_SECRET_IDS, type GeneratedSecretId, type OptionalSecretId } from './secret-id.ts'

/**
 * `distributed`: people and programs elsewhere have it, so the old value is good until the operator says that nobody uses it any more.
 * `password`: of a role of the database; nobody but our processes has it, so the same run ends with the new value alone.
 * `own`: each process uses its own copy, and nothing compares it with another one. `kept`: the same, and the values before it stay on the host, for what was made with
 * them. `provided`: yours, and made elsewhere.
 */
export type RotationKind = 'distributed' | 'password' | 'own' | 'kept' | 'provided'

/** The authority of SPIRE's server: no credential, but keys that the server keeps itself. */
export const SPIRE_CA_ID = 'spire-ca'

/** Of all secrets. */
export const ROTATION_KINDS: Readonly<Record<GeneratedSecretId | OptionalSecretId | typeof SPIRE_CA_ID, RotationKind>> =
  {
    'tappass-admin-api-key': 'distributed',
    'tappass-token-key': 'distributed',
    'postgres-password': 'password',
    'postgres-owner-password': 'password',
    'tappass-jwt-secret': 'own',
    // What an older key has signed is checked with its public half, which is kept on the host.
    'tappass-checkpoint-key': 'own',
    'tappass-vault-key': 'kept',
    [SPIRE_CA_ID]: 'distributed',
    'openai-api-key': 'provided',
    'anthropic-api-key': 'provided',
    'tappass-license': 'provided',
    'tappass-license-authority': 'provided',
    'tappass-alert-url': 'provided',
    'otel-exporter-otlp-headers': 'provided',
  }

/** Whether a secret has two values while it is rotated. */
export function isOverlapping(id: GeneratedSecretId): boolean {
  return ROTATION_KINDS[id] === 'distributed' || ROTATION_KINDS[id] === 'password'
}

/** The next values that the gateway's instances receive beside the current ones. */
export const GATEWAY_NEXT_SECRET_IDS: readonly string[] = GATEWAY_SECRET_IDS.filter(isOverlapping).map(nextCredentialId)

/**
 * How far a rotation goes. `overlap`: of distributed secrets both values are good afterwards. `finish`: their old values go, and nothing is begun.
 * `compromised`: somebody else may have a value, so by the end of the run each value is a new one, one that was still to be put in force included.
 */
export const ROTATION_MODES = ['overlap', 'finish', 'compromised'] as const

/** One of them. */
export type RotationMode = (typeof ROTATION_MODES)[number]

/**
 * The rotation that a command line asks for: of which secrets, as long as they were stored before a moment of the host's clock (seconds since
 * 1970), so that a run that is repeated rotates nothing twice, and how far.
 */
export type Rotation = Readonly<{ ids: readonly string[]; storedBefore: number; mode: RotationMode }>

/** Returns before when a value has to have been stored for this run to make another one; undefined: no other one is asked for. */
export function rotatedBefore(rotation: Rotation | undefined, id: string): number | undefined {
  if (rotation === undefined || rotation.mode === 'finish' || !rotation.ids.includes(id)) return undefined
  return rotation.storedBefore
}

/** Whether the old value of a distributed secret goes in this run. */
export function endsOverlap(rotation: Rotation | undefined, id: string): boolean {
  return rotation !== undefined && rotation.mode !== 'overlap' && rotation.ids.includes(id)
}
