/** The secrets that a host keeps, by the name of their credential. The one list; values are never here. */

/** Made on the host at first run. What they mean: docs/reference/host.md. */
export const madeSecretIds = [
  'tappass-admin-api-key',
  'tappass-jwt-secret',
  'tappass-vault-key',
  'tappass-token-key',
  'postgres-password',
] as const

/** Handed in by the operator or absent. */
export const optionalSecretIds = ['openai-api-key', 'anthropic-api-key', 'tappass-license'] as const

/** One of them. */
export type MadeSecretId = (typeof madeSecretIds)[number]
