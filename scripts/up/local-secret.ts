/** The secrets of a gateway that `tappass up` runs: made once, kept in files of mode 0600, checked at each start. */
import { createPrivateKey } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure } from '../core/failure.ts'

/** Where unguessable values come from: so many random bytes, and a new P-256 private key as PEM (PKCS #8). */
export type Randomness = Readonly<{ bytes: (count: number) => Buffer; signingKey: () => string }>

/** Secrets by credential id: the setting's name in lower case with dashes (`tappass-admin-api-key`). */
export type Secrets = Readonly<Record<string, string>>

function isSigningKey(text: string): boolean {
  try {
    return createPrivateKey(text).asymmetricKeyDetails?.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}

const kinds: Readonly<
  Record<string, Readonly<{ make: (random: Randomness) => string; isWellFormed: (text: string) => boolean }>>
> = {
  'tappass-admin-api-key': {
    make: ({ bytes }) => `tp_admin_${bytes(32).toString('base64url')}`,
    isWellFormed: (text) => /^tp_[\w-]{20,}$/.test(text),
  },
  'tappass-jwt-secret': {
    make: ({ bytes }) => bytes(48).toString('base64url'),
    isWellFormed: (text) => /^[\w-]{43,}$/.test(text),
  },
  'tappass-vault-key': {
    make: ({ bytes }) => bytes(32).toString('base64'),
    isWellFormed: (text) => /^[\w+/]{43}=$/.test(text) && Buffer.from(text, 'base64').length === 32,
  },
  'tappass-token-key': { make: ({ signingKey }) => signingKey(), isWellFormed: isSigningKey },
}

/** New secrets of every kind. */
export function makeSecrets(random: Randomness): Secrets {
  return Object.fromEntries(Object.entries(kinds).map(([id, kind]) => [id, kind.make(random)]))
}

/** Writes secrets as files of mode 0600 into a new folder of mode 0700. */
export function writeSecrets(folder: string, secrets: Secrets): void {
  mkdirSync(folder, { mode: 0o700 })
  for (const [id, text] of Object.entries(secrets)) writeFileSync(join(folder, id), text, { mode: 0o600, flush: true })
}

/** Adds secrets to a folder that exists, each whole or not at all. */
export function keepSecrets(folder: string, secrets: Secrets): void {
  for (const [id, text] of Object.entries(secrets)) {
    const fresh = join(folder, `.${id}`)
    writeFileSync(fresh, text, { mode: 0o600, flush: true })
    renameSync(fresh, join(folder, id))
  }
}

/** Makes the folder of secrets at once or not at all. */
export function createSecrets(folder: string, random: Randomness): Secrets {
  const secrets = makeSecrets(random)
  const fresh = `${folder}.${process.pid}`
  rmSync(fresh, { recursive: true, force: true })
  writeSecrets(fresh, secrets)
  renameSync(fresh, folder)
  return secrets
}

/** Reads all secrets of a folder. Throws a Failure (exit 5) that names every one that is missing or malformed. */
export function readSecrets(folder: string): Secrets {
  const secrets = Object.fromEntries(
    readdirSync(folder)
      .filter((id) => !id.startsWith('.'))
      .map((id) => [id, readFileSync(join(folder, id), 'utf8').trim()] as const),
  )
  const bad = Object.entries(kinds).filter(([id, kind]) => !kind.isWellFormed(secrets[id] ?? ''))
  if (bad.length === 0) return secrets
  throw new Failure(
    {
      what: `these secrets are missing or malformed: ${bad.map(([id]) => id).join(', ')}`,
      where: folder,
      why: 'they are never made anew over data that may need them',
      next: 'put the files back from a copy, or start over in an empty folder: tappass up --data DIR',
    },
    EXIT_CODE.refused,
  )
}
