/** A release of TapPass on the host: a folder of its own, its content checked, and the link to the one in force. */
import type { ReleasePack } from '../core/release-pack.ts'
import type { Resource } from '../core/resource.ts'

/** Laid down in ROOT/releases/VERSION; ROOT/current is switched to it. */
export type ReleaseOptions = Readonly<{ root: string; pack: ReleasePack }>

/** Files that were changed or are missing count: the folder is laid down again beside and swapped. */
export const release = (options: ReleaseOptions): Resource => {
  throw new Error(`not written yet: ${options.root}`)
}
