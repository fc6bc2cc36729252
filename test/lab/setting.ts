/** Where the lab keeps its things. The one reader of the environment in the lab. */
import { join } from 'node:path'

/** Gives a path inside the lab's cache folder (`TAPPASS_LAB_CACHE`, `/var/cache/tappass-lab` unless set). */
export function cachePath(...parts: readonly string[]): string {
  return join(process.env['TAPPASS_LAB_CACHE'] || '/var/cache/tappass-lab', ...parts)
}
