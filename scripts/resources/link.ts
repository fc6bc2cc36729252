/** A symbolic link. */

import { changeCommand } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import type { Resource } from '../core/resource.ts'
import { pathFact, targetFact } from '../facts/path.ts'
import { linkCommand } from '../files/link-change.ts'
import { REMOVAL_REASON } from '../files/removal.ts'

/** `path` shall be a link to `target`. A link that leads below `ownedFolder` is ours and may be switched. */
export type LinkOptions = Readonly<{ path: string; target: string; ownedFolder: string }>

/** The link. Anything else at the path, a link of somebody else too, is refused (exit 5). */
export function link({ path, target, ownedFolder }: LinkOptions): Resource {
  return {
    id: `link:${path}`,
    absent: async (getFact) => {
      const found = await getFact(targetFact(path))
      if (found?.startsWith(`${ownedFolder}/`) !== true) return []
      return [{ action: `remove ${path}`, reason: REMOVAL_REASON, commands: [changeCommand('rm', '-f', '--', path)] }]
    },
    plan: async (getFact) => {
      const [state, found] = await Promise.all([getFact(pathFact(path)), getFact(targetFact(path))])
      if (found === target) return []
      const isOurs = state.kind === 'absent' || found?.startsWith(`${ownedFolder}/`)
      if (!isOurs) {
        const what = found === undefined ? `a ${state.kind}` : `a link to ${found}`
        const next = `move it away: ${quoteAll(['mv', path, `${path}.old`])}`
        throw refusedFailure(`${path} is not ours`, `it is ${what}`, next)
      }
      const reason = found === undefined ? 'it is absent' : `it points to ${found}`
      return [{ action: `link ${path} to ${target}`, reason, commands: [linkCommand(path, target)] }]
    },
  }
}
