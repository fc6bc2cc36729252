/** A file that other programs' owners write, too: on a host where nothing of ours was installed yet, theirs is not replaced. */
import { createHash } from 'node:crypto'
import { refusedFailure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import type { Resource } from '../core/resource.ts'
import { digestFact, pathFact, targetFact } from '../facts/path.ts'
import { type FileSpec, planFile } from '../files/file-change.ts'

/**
 * `installedLink` is a link that exists once we are installed: from then on the file is ours, and what differs is repaired.
 * `remedy` says what else can be done than to move it away, for the refusal.
 */
export type ExclusiveFileOptions = FileSpec & Readonly<{ content: string; installedLink: string; remedy: string }>

/** The file. One of somebody else is a `Failure` (exit 5). */
export function exclusiveFile(options: ExclusiveFileOptions): Resource {
  const { path, content, installedLink, remedy } = options
  return {
    id: `file:${path}`,
    plan: async (getFact) => {
      const [state, digest, installed, changes] = await Promise.all([
        getFact(pathFact(path)),
        getFact(digestFact(path)),
        getFact(targetFact(installedLink)),
        planFile(getFact, options, content),
      ])
      const isOurs = digest === createHash('sha256').update(content).digest('hex')
      if (state.kind !== 'file' || isOurs || installed !== undefined) return changes
      throw refusedFailure(
        `${path} has settings of somebody else`,
        'TapPass is not installed here yet: what runs with these settings would run with others after the next restart',
        `look at it: ${quoteAll(['cat', path])}   (on the host), and move it away if nobody needs it; or ${remedy}`,
      )
    },
  }
}
