/**
 * How a backup stands in a store: each file in parts of some megabytes, each part sealed by itself and one object, and an index, which is
 * written when all else has been read back. A name ends with the digest of what is under it, so a part that was sent twice is one object, and nothing is ever overwritten.
 */
import { isBackupName, isBaseName } from '../../contract/backup-name.ts'
import { sha256 } from '../core/hash.ts'

/** What a part has of a file before it is sealed. A copy that was cut sends at most one part twice. */
export const PART_BYTES = 8 * 2 ** 20

/** An object of a file: its name, its size and SHA-256 as it stands in the store. */
export type Part = Readonly<{ name: string; bytes: number; sha256: string }>

/** A file of a backup; `bytes` is its own size. */
export type IndexedFile = Readonly<{ name: string; bytes: number; parts: readonly Part[] }>

/** The index of a backup in a store. `recipient`: which recovery key its parts are sealed to; copies of earlier releases do not say it. */
export type StoreIndex = Readonly<{
  format: 1
  set: string
  copiedAt: string
  recipient?: string
  partBytes: number
  files: readonly IndexedFile[]
}>

const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const DIGEST_LETTERS = 16

/** Whether a file of a backup may have this name: it becomes part of names elsewhere. */
export function isFileName(name: string): boolean {
  return FILE_NAME.test(name)
}

/** The beginning of the names of a file's part `index`, counted from 0. */
export function partBeginning(set: string, file: string, index: number): string {
  return `${set}.${file}.${String(index + 1).padStart(6, '0')}.`
}

/** Returns the name of what is under it: `attempt` counts from 1, for a name where a cut has left something else. */
export function objectName(beginning: string, sha256: string, suffix: 'age' | 'json', attempt = 1): string {
  return `${beginning}${sha256.slice(0, DIGEST_LETTERS)}${attempt === 1 ? '' : `-${attempt}`}.${suffix}`
}

/** The beginning of the names of a backup's index. */
export function indexBeginning(set: string): string {
  return `${set}.index.`
}

/** The set or base backup that an object is of, and whether it is an index; undefined for an object of somebody else. */
export function objectOf(name: string): Readonly<{ set: string; isIndex: boolean }> | undefined {
  const [, set = '', rest] = /^([^.]+)\.(.+)$/.exec(name) ?? []
  return rest === undefined || !(isBackupName(set) || isBaseName(set))
    ? undefined
    : { set, isIndex: /^index\.[0-9a-f]+(-\d+)?\.json$/.test(rest) }
}

/** Returns the text of an index. */
export function indexText(index: StoreIndex): string {
  return `${JSON.stringify(index, null, 1)}\n`
}

function isPart(value: unknown): value is Part {
  const { name, bytes, sha256: digest } = (value ?? {}) as Record<string, unknown>
  return typeof name === 'string' && Number.isSafeInteger(bytes) && /^[0-9a-f]{64}$/.test(String(digest))
}

function isFile(value: unknown, partBytes: number): value is IndexedFile {
  const { name, bytes, parts } = (value ?? {}) as Record<string, unknown>
  if (typeof name !== 'string' || !isFileName(name) || !Number.isSafeInteger(bytes) || Number(bytes) < 0) return false
  return Array.isArray(parts) && parts.length === partCount(Number(bytes), partBytes) && parts.every(isPart)
}

/** How many parts a file of that size has: an empty one has one, too. */
export function partCount(bytes: number, partBytes: number): number {
  return Math.max(1, Math.ceil(bytes / partBytes))
}

/** Returns the index that stands under `name`; undefined for one that was cut, is of another name or of a format that is not known here. */
export function parseIndex(name: string, bytes: Uint8Array): StoreIndex | undefined {
  const { set = '', isIndex = false } = objectOf(name) ?? {}
  if (!isIndex || !name.startsWith(`${indexBeginning(set)}${sha256(bytes).slice(0, DIGEST_LETTERS)}`)) return undefined
  try {
    const index = JSON.parse(Buffer.from(bytes).toString()) as StoreIndex
    const { partBytes, files, recipient = '' } = index
    const isWhole =
      index.format === 1 &&
      index.set === set &&
      Number.isSafeInteger(partBytes) &&
      partBytes > 0 &&
      typeof recipient === 'string'
    return isWhole && Array.isArray(files) && files.every((file) => isFile(file, partBytes)) ? index : undefined
  } catch {
    return undefined
  }
}
