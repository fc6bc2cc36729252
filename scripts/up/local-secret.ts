/** The secrets of the gateway that `tappass up` runs: generated once, stored in files of mode 0600, validated at each start. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { credentialId, MADE_SECRET_NAMES, secretProblem } from '../../contract/secret.ts'
import { Failure } from '../core/failure.ts'
import { generateSecret, generateSecrets, type Randomness } from '../secrets/secret-generation.ts'

/** Secrets by credential id: the setting's name in lower case with dashes (`tappass-admin-api-key`). */
export type Secrets = Readonly<Record<string, string>>

/** Secrets that no data need: a missing one, as in folders of earlier versions, is generated. */
const REPLACEABLE = ['TAPPASS_CHECKPOINT_KEY'] as const

/** Writes secrets as files of mode 0600 into a new folder of mode 0700. */
export function writeSecrets(folder: string, secrets: Secrets): void {
  mkdirSync(folder, { mode: 0o700 })
  for (const [id, text] of Object.entries(secrets)) writeFileSync(join(folder, id), text, { mode: 0o600, flush: true })
}

/** Adds secrets to an existing folder, each atomically. */
export function storeSecrets(folder: string, secrets: Secrets): void {
  for (const [id, text] of Object.entries(secrets)) {
    const temporary = join(folder, `.${id}`)
    writeFileSync(temporary, text, { mode: 0o600, flush: true })
    renameSync(temporary, join(folder, id))
  }
}

/** Generates secrets and creates their folder atomically. */
export function createSecretsFolder(folder: string, random: Randomness): Secrets {
  const secrets = generateSecrets(random)
  const temporary = `${folder}.${process.pid}`
  rmSync(temporary, { recursive: true, force: true })
  writeSecrets(temporary, secrets)
  renameSync(temporary, folder)
  return secrets
}

/** Generates those that a folder lacks and no data need. */
export function completeSecrets(folder: string, random: Randomness): void {
  const missing = REPLACEABLE.filter((name) => !existsSync(join(folder, credentialId(name))))
  storeSecrets(folder, Object.fromEntries(missing.map((name) => [credentialId(name), generateSecret(name, random)])))
}

/** Reads all secrets of a folder. Throws a `Failure` (exit 5) that names all missing and malformed ones. */
export function readSecrets(folder: string): Secrets {
  const secrets = Object.fromEntries(
    readdirSync(folder)
      .filter((id) => !id.startsWith('.'))
      .map((id) => [id, readFileSync(join(folder, id), 'utf8').trim()] as const),
  )
  const invalid = MADE_SECRET_NAMES.filter(
    (name) => secretProblem(name, secrets[credentialId(name)] ?? '') !== undefined,
  )
  if (invalid.length === 0) return secrets
  throw new Failure(
    {
      what: `secrets missing or malformed: ${invalid.map(credentialId).join(', ')}`,
      where: folder,
      why: 'new ones are not generated, because existing data may need the old ones',
      next: 'restore the files from a backup, or start with an empty data folder: tappass up --data DIR',
    },
    EXIT_CODE.refused,
  )
}
