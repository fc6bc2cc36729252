/** The secrets that a host keeps, by the name of their credential. The one list; values are never here. */

/** Made on the host at first run. What they mean: docs/reference/host.md. */
export const MADE_SECRET_IDS = [
  'tappass-admin-api-key',
  'tappass-jwt-secret',
  'tappass-vault-key',
  'tappass-token-key',
  'postgres-password',
] as const

/** Handed in by the operator or absent. */
export const OPTIONAL_SECRET_IDS = ['openai-api-key', 'anthropic-api-key', 'tappass-license'] as const

/** One of them. */
export type MadeSecretId = (typeof MADE_SECRET_IDS)[number]
