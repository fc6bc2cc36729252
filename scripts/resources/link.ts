/** A symbolic link. */

import type { Resource } from '../core/resource.ts'
import { pathFact, targetFact } from '../facts/path.ts'
import { assertNotDirectory, linkCommand } from '../files/link-change.ts'

/** `target` is the text of the link. */
export type LinkOptions = Readonly<{ path: string; target: string }>

/** The link: switched by a rename, so that the path is never absent. A directory at the path is a `Failure` (exit 5). */
export function link({ path, target }: LinkOptions): Resource {
  return {
    id: `link:${path}`,
    plan: async (getFact) => {
      const [state, current] = await Promise.all([getFact(pathFact(path)), getFact(targetFact(path))])
      if (current === target) return []
      assertNotDirectory(path, state)
      const reason =
        state.kind === 'absent' ? 'it is absent' : current === undefined ? 'it is a file' : `it points to ${current}`
      return [{ action: `link ${path} to ${target}`, reason, commands: [linkCommand(path, target)] }]
    },
  }
}
