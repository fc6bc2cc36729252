/** A file that other programs' owners write, too: until it is ours, theirs is not replaced. */

import { changeCommand, scriptCommand } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import type { Resource } from '../core/resource.ts'
import { sha256Of } from '../core/sha256.ts'
import { RELOAD_COMMAND } from '../core/unit-command.ts'
import { digestFact, pathFact } from '../facts/path.ts'
import { type FileSpec, planFile } from '../files/file-change.ts'
import { planFileAbsent, REMOVAL_REASON } from '../files/removal.ts'

/**
 * `ownMark` is a path that exists once the file is ours: from then on what differs is repaired.
 * `user` is the unit that reads it.
 * `remedy` says what else can be done than to move it away, for the refusal.
 */
export type ExclusiveFileOptions = FileSpec &
  Readonly<{ content: string; ownMark: string; user: string; remedy: string }>

/** The file. One of somebody else is a `Failure` (exit 5). */
export function exclusiveFile(options: ExclusiveFileOptions): Resource {
  const { path, content, ownMark, user, remedy } = options
  return {
    id: `file:${path}`,
    files: async () => [{ path, content }],
    absent: async (getFact) => {
      const [changes, mark, { kind }] = await Promise.all([
        planFileAbsent(getFact, path),
        getFact(pathFact(ownMark)),
        getFact(pathFact(path)),
      ])
      const removal =
        changes.length > 0 || mark.kind === 'absent' || kind !== 'file'
          ? changes
          : [
              {
                action: `remove ${path}`,
                reason: REMOVAL_REASON,
                commands: [changeCommand('rm', '-f', '--', path)] as const,
              },
            ]
      // A unit that others use goes on without our settings.
      const restart = scriptCommand('systemctl cat "$1" >/dev/null 2>&1 || exit 0; systemctl try-restart "$1"', [user])
      return removal.map((change) => ({ ...change, commands: [...change.commands, RELOAD_COMMAND, restart] as const }))
    },
    plan: async (getFact) => {
      const [state, digest, mark, changes] = await Promise.all([
        getFact(pathFact(path)),
        getFact(digestFact(path)),
        getFact(pathFact(ownMark)),
        planFile(getFact, options, content),
      ])
      const isOurs = digest === sha256Of(content)
      if (state.kind !== 'file' || isOurs || mark.kind !== 'absent') return changes
      throw refusedFailure(
        `${path} has settings of somebody else`,
        'what runs with these settings would run with others after the next restart',
        `look at it: ${quoteAll(['cat', path])}   (on the host), and move it away if nobody needs it; or ${remedy}`,
      )
    },
  }
}
