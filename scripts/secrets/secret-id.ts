/** The secrets of a host, by the id of their credential. */
import { credentialId, MADE_SECRET_NAMES } from '../../contract/secret.ts'

/** Generated on the host by the first run; docs/reference/host.md describes them. */
export const GENERATED_SECRET_IDS = [...MADE_SECRET_NAMES, 'POSTGRES_PASSWORD' as const].map(credentialId)

/** Provided by the operator, or absent. */
export const OPTIONAL_SECRET_IDS = (['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'TAPPASS_LICENSE'] as const).map(
  credentialId,
)

/** The id of a generated secret. */
export type GeneratedSecretId = (typeof GENERATED_SECRET_IDS)[number]
