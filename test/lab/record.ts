/** What is known of a machine between two commands: one folder each, with a JSON file in it. */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { cachePath } from './setting.ts'

/**
 * How a machine differs from a plain server with a way out. `hasVendors`: this host answers under the vendors' names. `isIpv6Only`: it has no
 * IPv4 address. `isProxied`: it reaches the HTTP proxy on this host and nothing else. `memoryMegabytes`: it has no more.
 */
export type Surroundings = Readonly<{
  hasVendors?: boolean
  isIpv6Only?: boolean
  isProxied?: boolean
  memoryMegabytes?: number
}>

/** `number` is the machine's place in 10.77.N.0/24. `tree` is the folder of the file tree that it was made from. */
export type MachineRecord = Surroundings &
  Readonly<{ name: string; number: number; isAirGapped: boolean; tree: string }>

const namePattern = /^[a-z][a-z0-9-]{0,30}$/

/** Gives the name, or throws when it can't be a machine's: lower-case letters, digits and dashes, 31 at most. */
export function machineName(text: string): string {
  if (namePattern.test(text)) return text
  throw new Error(`"${text}" can't be a machine's name: use a letter, then letters, digits and dashes (31 at most)`)
}

/** Gives a path in the machine's folder. */
export function machinePath(name: string, ...parts: readonly string[]): string {
  return cachePath('machines', name, ...parts)
}

/** Gives the record of a machine, or undefined where there is none. */
export async function readRecord(name: string): Promise<MachineRecord | undefined> {
  try {
    return JSON.parse(await readFile(machinePath(name, 'machine.json'), 'utf8')) as MachineRecord
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`the record of machine ${name} can't be read`, { cause })
  }
}

/** Writes the record, whole or not at all. */
export async function writeRecord(record: MachineRecord): Promise<void> {
  const path = machinePath(record.name, 'machine.json')
  await mkdir(machinePath(record.name), { recursive: true, mode: 0o700 })
  await writeFile(`${path}.new`, `${JSON.stringify(record)}\n`)
  await rename(`${path}.new`, path)
}

/** Gives all machines of this cache, by name. */
export async function listRecords(): Promise<readonly MachineRecord[]> {
  const names = await readdir(cachePath('machines')).catch(() => [])
  const records = await Promise.all(names.filter((name) => namePattern.test(name)).map(readRecord))
  return records.filter((record) => record !== undefined)
}
