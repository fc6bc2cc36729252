/** The secrets of a host, by the name of their credential. */

/** Generated on the host by the first run; docs/reference/host.md describes them. */
export const GENERATED_SECRET_IDS = [
  'tappass-admin-api-key',
  'tappass-jwt-secret',
  'tappass-vault-key',
  'tappass-token-key',
  'postgres-password',
] as const

/** Provided by the operator, or absent. */
export const OPTIONAL_SECRET_IDS = ['openai-api-key', 'anthropic-api-key', 'tappass-license'] as const

/** The id of a generated secret. */
export type GeneratedSecretId = (typeof GENERATED_SECRET_IDS)[number]
