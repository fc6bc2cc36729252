/** A file of ours that nobody wants any more. */
import { changeCommand } from '../core/command.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'

/** `reason` says why it is not wanted. */
export type AbsentFileOptions = Readonly<{ path: string; reason: string }>

/** The absence of a file or link at a path of ours. A folder is left alone: nothing of ours made one there. */
export function absentFile({ path, reason }: AbsentFileOptions): Resource {
  return {
    id: `absent-file:${path}`,
    absent: leavesNothing('it is absent already'),
    plan: async (getFact) => {
      const { kind } = await getFact(pathFact(path))
      if (kind === 'absent' || kind === 'directory') return []
      return [{ action: `remove ${path}`, reason, commands: [changeCommand('rm', '-f', '--', path)] }]
    },
  }
}
