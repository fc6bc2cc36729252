/** New values for the secrets that this project makes itself. */
import { credentialId, MADE_SECRET_NAMES } from '../../contract/secret.ts'

/** The source of randomness: random bytes, and new private keys as PEM (PKCS #8), P-256 and Ed25519. */
export type Randomness = Readonly<{
  bytes: (count: number) => Buffer
  signingKey: () => string
  checkpointKey: () => string
}>

/** What is made for containers: the gateway's secrets, and the passwords of its database. */
export const GENERATED_NAMES = [...MADE_SECRET_NAMES, 'POSTGRES_PASSWORD', 'POSTGRES_OWNER_PASSWORD'] as const

const GENERATORS: Readonly<Record<(typeof GENERATED_NAMES)[number], (random: Randomness) => string>> = {
  TAPPASS_ADMIN_API_KEY: ({ bytes }) => `tp_admin_${bytes(32).toString('base64url')}`,
  TAPPASS_JWT_SECRET: ({ bytes }) => bytes(48).toString('base64url'),
  TAPPASS_VAULT_KEY: ({ bytes }) => bytes(32).toString('base64'),
  TAPPASS_TOKEN_KEY: ({ signingKey }) => signingKey(),
  TAPPASS_CHECKPOINT_KEY: ({ checkpointKey }) => checkpointKey(),
  POSTGRES_PASSWORD: ({ bytes }) => bytes(24).toString('base64url'),
  POSTGRES_OWNER_PASSWORD: ({ bytes }) => bytes(24).toString('base64url'),
}

/** Gives a new value of a secret. */
export function generateSecret(name: (typeof GENERATED_NAMES)[number], random: Randomness): string {
  return GENERATORS[name](random)
}

/** Gives a new value of every secret of a gateway, by the ids of their credentials. */
export function generateSecrets(random: Randomness): Readonly<Record<string, string>> {
  return Object.fromEntries(MADE_SECRET_NAMES.map((name) => [credentialId(name), generateSecret(name, random)]))
}
