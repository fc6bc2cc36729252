/** The data folder of `tappass up`: secrets, the first agent's key, answers, and the database. */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import type { Randomness } from '../secrets/secret-generation.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { completeSecrets, createSecretsFolder, readSecrets, type Secrets, storeSecrets } from './local-secret.ts'

/** An agent and its key. */
export type AgentKey = Readonly<{ id: string; key: string }>

/** An open data folder; `lock` is held until it is released. */
export type DataFolder = Readonly<{ path: string; secrets: Secrets; lock: FolderLock }>

function unusable(path: string, error: unknown): Failure {
  return new Failure(
    {
      what: 'cannot use the data folder',
      where: path,
      why: (error as Error).message,
      next: `check its permissions (${quoteAll(['ls', '-ld', path])}), or use another one: tappass up --data DIR`,
    },
    EXIT_CODE.refused,
    error,
  )
}

/** Returns the folder of the embedded database. */
export function databaseFolder(path: string): string {
  return join(path, 'database')
}

/** Returns the folder of the checkpoints of the ledger, outside the database. */
export function checkpointFolder(path: string): string {
  return join(path, 'checkpoints')
}

function openSecrets(path: string, random: Randomness): Secrets {
  const folder = join(path, 'secrets')
  if (existsSync(folder)) {
    completeSecrets(folder, random)
    return readSecrets(folder)
  }
  if (!existsSync(databaseFolder(path))) return createSecretsFolder(folder, random)
  throw new Failure(
    {
      what: 'the data folder has a database, but not its secrets',
      where: folder,
      why: 'the data cannot be read with new secrets',
      next: 'restore the folder from a backup, or start with an empty data folder: tappass up --data DIR',
    },
    EXIT_CODE.refused,
  )
}

/** Removes files of runs that were killed. */
function removeLeftovers(path: string): void {
  for (const name of readdirSync(path)) {
    if (/^((run|secrets|lock)\.\d+|serving\.json$)/.test(name))
      rmSync(join(path, name), { recursive: true, force: true })
  }
}

/**
 * Opens a folder, creates it when it is absent (0700), and locks it; stores the answered secrets with its own. Throws a `Failure`:
 * exit 4 when it is locked, 5 when it cannot be used.
 */
export function openDataFolder(path: string, random: Randomness, answered: Secrets): DataFolder {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    const lock = lockFolder(path)
    try {
      removeLeftovers(path)
      const secrets = openSecrets(path, random)
      storeSecrets(join(path, 'secrets'), answered)
      return { path, secrets: { ...secrets, ...answered }, lock }
    } catch (error) {
      lock.unlock()
      throw error
    }
  } catch (error) {
    throw error instanceof Failure ? error : unusable(path, error)
  }
}

/** Reads a JSON file of the folder; undefined when it is absent or not a JSON object. */
export function readJsonFile(path: string, name: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(join(path, name), 'utf8'))
    return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Writes a JSON file of the folder (0600), atomically. */
export function writeJsonFile(path: string, name: string, content: Readonly<Record<string, unknown>>): void {
  const temporary = join(path, `${name}.fresh`)
  writeFileSync(temporary, `${JSON.stringify(content)}\n`, { mode: 0o600, flush: true })
  renameSync(temporary, join(path, name))
}

/** Removes a file of the folder, if it exists. */
export function removeJsonFile(path: string, name: string): void {
  rmSync(join(path, name), { force: true })
}

/** Returns the stored key of the first agent; undefined when there is none. */
export function readAgentKey(path: string): AgentKey | undefined {
  const content = readJsonFile(path, 'agent.json')
  return typeof content?.['id'] === 'string' && typeof content['key'] === 'string'
    ? { id: content['id'], key: content['key'] }
    : undefined
}
