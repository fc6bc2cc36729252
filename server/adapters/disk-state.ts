/** File systems as the kernel tells of them. */
import { existsSync, statfsSync, statSync } from 'node:fs'

/** Sizes are bytes; one that keeps no inodes has 0 of them. */
export type FileSystem = Readonly<{ bytes: number; freeBytes: number; inodes: number; freeInodes: number }>

/** Returns the file systems that these paths are on, each once, by the first of its paths; undefined for one that can't be asked. */
export function readFileSystems(
  paths: readonly string[],
): readonly (readonly [path: string, state: FileSystem | undefined])[] {
  const seen = new Set<number>()
  return paths.filter(existsSync).flatMap((path) => {
    const { dev } = statSync(path)
    if (seen.has(dev)) return []
    seen.add(dev)
    return [[path, readFileSystem(path)] as const]
  })
}

function readFileSystem(path: string): FileSystem | undefined {
  try {
    const { bsize, blocks, bavail, files, ffree } = statfsSync(path)
    return { bytes: blocks * bsize, freeBytes: bavail * bsize, inodes: files, freeInodes: ffree }
  } catch {
    return undefined
  }
}
