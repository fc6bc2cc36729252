/** A symbolic link. */

import type { Resource } from '../core/resource.ts'
import { pathFact, targetFact } from '../facts/path.ts'
import { linkCommand, refuseDirectory } from '../files/link-change.ts'

/** `target` as it is written in the link. */
export type LinkOptions = Readonly<{ path: string; target: string }>

/** Switched by a rename, so that there is always the old one or the new one. A directory in its place is refused. */
export function link({ path, target }: LinkOptions): Resource {
  return {
    id: `link:${path}`,
    plan: async (know) => {
      const [state, found] = await Promise.all([know(pathFact(path)), know(targetFact(path))])
      if (found === target) return []
      refuseDirectory(path, state)
      const because =
        state.kind === 'absent' ? 'it is absent' : `it is ${found === undefined ? 'a file' : `to ${found}`}`
      return [{ does: `link ${path} to ${target}`, because, commands: [linkCommand(path, target)] }]
    },
  }
}
