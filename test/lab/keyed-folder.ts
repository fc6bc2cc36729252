/** Things that are built once and then kept in the cache: under a key of their recipe, whole or not at all. */
import { createHash } from 'node:crypto'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { withLock } from './lock.ts'
import { cachePath } from './setting.ts'

/** Gives twelve hexadecimal digits that change when the recipe does. */
export function recipeKey(recipe: unknown): string {
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12)
}

/** Says whether a file or folder is there. */
export async function isPresent(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}

/**
 * Gives `path` (a file or folder in the cache), built first where it is missing. `build` fills the path that it is
 * given, which is renamed when it is complete; two processes never build the same thing at once.
 */
export async function buildOnce(path: string, build: (target: string) => Promise<void>): Promise<string> {
  if (await isPresent(path)) return path
  await mkdir(dirname(path), { recursive: true })
  const name = recipeKey(path)
  await withLock(cachePath('locks', `build-${name}`), async () => {
    if (await isPresent(path)) return
    const target = `${path}.partial`
    await rm(target, { recursive: true, force: true })
    const startedMs = performance.now()
    process.stderr.write(`lab: building ${path}\n`)
    await build(target)
    await rename(target, path)
    process.stderr.write(`lab: built ${path} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`)
  })
  return path
}
