/** The secrets of a host, by the id of their credential. */
import { credentialId, MADE_SECRET_NAMES } from '../../contract/secret.ts'

/** What the gateway's instances receive of those that are generated on the host. */
export const GATEWAY_SECRET_IDS = [...MADE_SECRET_NAMES, 'POSTGRES_PASSWORD' as const].map(credentialId)

/** The password of the role that owns the tables: for migrations, and never for the gateway. */
export const OWNER_SECRET_ID = credentialId('POSTGRES_OWNER_PASSWORD')

/** Generated on the host by the first run; docs/reference/host.md describes them. */
export const GENERATED_SECRET_IDS = [...GATEWAY_SECRET_IDS, OWNER_SECRET_ID]

/** Provided by the operator, or absent. */
export const OPTIONAL_SECRET_IDS = (
  [
    'OPENAI_API_KEY',
    'ANTHROPIC_API_KEY',
    'TAPPASS_LICENSE',
    'TAPPASS_LICENSE_AUTHORITY',
    'TAPPASS_ALERT_URL',
    'OTEL_EXPORTER_OTLP_HEADERS',
  ] as const
).map(credentialId)

/** What the check of the timer receives of them. */
export const CHECK_SECRET_IDS = (['TAPPASS_LICENSE', 'TAPPASS_LICENSE_AUTHORITY', 'TAPPASS_ALERT_URL'] as const).map(
  credentialId,
)

/** What the gateway's instances receive of them: not where alerts are sent. */
export const GATEWAY_OPTIONAL_SECRET_IDS = OPTIONAL_SECRET_IDS.filter((id) => id !== credentialId('TAPPASS_ALERT_URL'))

/** The id of a provided secret. */
export type OptionalSecretId = (typeof OPTIONAL_SECRET_IDS)[number]

/** The id of a generated secret. */
export type GeneratedSecretId = (typeof GENERATED_SECRET_IDS)[number]
