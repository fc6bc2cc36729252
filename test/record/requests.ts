/** All requests of the record: three gateways, each asked one request after the other. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { createSigningKey } from '../server/ledger/signing-fixture.ts'
import type { Group } from './row.ts'
import { ALLOWED } from './rows/allowed.ts'
import { ANSWERED } from './rows/answered.ts'
import { PERSONAL_ROWS } from './rows/personal.ts'
import { ORDINARY_ROWS, REFUSED } from './rows/refused.ts'
import { BEGINNING, LIMITED, REGISTER, ROLE_ROWS, TOLD } from './rows/register.ts'
import { STREAMS } from './rows/streams.ts'
import { WRONG } from './rows/wrong.ts'

/** A license and the key to check it with. */
function licensed(): Readonly<Record<string, string>> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const license = { org: 'Client Corp', tier: 'enterprise', expires: '2999-01-01' }
  const signed = `${part({ alg: 'EdDSA' })}.${part(license)}`
  return {
    TAPPASS_LICENSE: `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`,
    TAPPASS_LICENSE_AUTHORITY: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

/** What a gateway in production has to be given. */
function secrets(): Readonly<Record<string, string>> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  return {
    TAPPASS_JWT_SECRET: 'only for the record '.repeat(2),
    TAPPASS_VAULT_KEY: Buffer.alloc(32, 7).toString('base64'),
    TAPPASS_CHECKPOINT_KEY: createSigningKey().privatePem,
    TAPPASS_TOKEN_KEY: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
  }
}

/** The gateways. */
export const GROUPS: readonly Group[] = [
  {
    name: 'open',
    hasModelServer: true,
    isKept: false,
    environment: {},
    phases: [
      [
        ...BEGINNING,
        ...ALLOWED,
        ...ORDINARY_ROWS,
        ...REFUSED,
        ...PERSONAL_ROWS,
        ...ANSWERED,
        ...STREAMS,
        ...WRONG,
        ...TOLD,
      ],
    ],
  },
  {
    name: 'limited',
    hasModelServer: false,
    isKept: false,
    environment: {
      ...licensed(),
      TAPPASS_RATE_CALLS: '3',
      TAPPASS_RATE_WINDOW_SECONDS: '86400',
      TAPPASS_REVISION: 'r7',
      TAPPASS_INSTANCE: 'second',
    },
    phases: [[...BEGINNING, ...LIMITED]],
  },
  {
    name: 'kept',
    hasModelServer: false,
    isKept: true,
    environment: { ...secrets(), TAPPASS_ENV: 'production', TAPPASS_STORAGE: 'local' },
    phases: [[...BEGINNING, ...REGISTER], ROLE_ROWS],
  },
]

/** The name under which a request's answer stands in the record. */
export const placeOf = (group: string, what: string): string => `${group}: ${what}`
