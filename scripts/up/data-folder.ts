/** The folder that `tappass up` keeps between starts: secrets, the first agent's key, answers, and the database. */
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
import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { createSecrets, keepSecrets, type Randomness, readSecrets, type Secrets } from './local-secret.ts'

/** The agent that the first call is made as. */
export type AgentKey = Readonly<{ id: string; key: string }>

/** An open data folder; `lock` is held until it is released. */
export type DataFolder = Readonly<{ path: string; secrets: Secrets; lock: FolderLock }>

function unusable(path: string, error: unknown): Failure {
  return new Failure(
    {
      what: 'the data folder can not be used',
      where: path,
      why: (error as Error).message,
      next: 'make it readable and writable for you, or take another: tappass up --data DIR',
    },
    EXIT_CODE.refused,
    error,
  )
}

/** Where the embedded database keeps its files. */
export function databaseFolder(path: string): string {
  return join(path, 'database')
}

function openSecrets(path: string, random: Randomness): Secrets {
  const folder = join(path, 'secrets')
  if (existsSync(folder)) return readSecrets(folder)
  if (!existsSync(databaseFolder(path))) return createSecrets(folder, random)
  throw new Failure(
    {
      what: 'the data folder holds a database but not its secrets',
      where: folder,
      why: 'new secrets would not fit the data',
      next: 'put the folder back from a copy, or start over in an empty folder: tappass up --data DIR',
    },
    EXIT_CODE.refused,
  )
}

function sweep(path: string): void {
  for (const name of readdirSync(path)) {
    if (/^((run|secrets|lock)\.\d+|serving\.json$)/.test(name))
      rmSync(join(path, name), { recursive: true, force: true })
  }
}

/**
 * Opens a folder, made when it is absent (0700), and locks it; keeps the answered secrets with its own. Throws a Failure:
 * exit 4 when taken, 5 when unusable.
 */
export function openDataFolder(path: string, random: Randomness, answered: Secrets): DataFolder {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    const lock = lockFolder(path)
    try {
      sweep(path)
      const secrets = openSecrets(path, random)
      keepSecrets(join(path, 'secrets'), answered)
      return { path, secrets: { ...secrets, ...answered }, lock }
    } catch (error) {
      lock.release()
      throw error
    }
  } catch (error) {
    throw error instanceof Failure ? error : unusable(path, error)
  }
}

/** Reads a small JSON file of the folder; undefined when it is absent or no JSON object. */
export function readNote(path: string, name: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(join(path, name), 'utf8'))
    return typeof note === 'object' && note !== null ? (note as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Writes a small JSON file of the folder (0600): whole or not at all. */
export function writeNote(path: string, name: string, note: Readonly<Record<string, unknown>>): void {
  const fresh = join(path, `${name}.fresh`)
  writeFileSync(fresh, `${JSON.stringify(note)}\n`, { mode: 0o600, flush: true })
  renameSync(fresh, join(path, name))
}

/** Removes a small file of the folder, if it is there. */
export function removeNote(path: string, name: string): void {
  rmSync(join(path, name), { force: true })
}

/** The first agent's key as kept; undefined when it is lost. */
export function readAgentKey(path: string): AgentKey | undefined {
  const note = readNote(path, 'agent.json')
  return typeof note?.['id'] === 'string' && typeof note['key'] === 'string'
    ? { id: note['id'], key: note['key'] }
    : undefined
}
