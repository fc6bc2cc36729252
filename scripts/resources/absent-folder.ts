/** A folder of ours that nobody wants any more, with all that is in it: never one that holds data of somebody. */
import { changeCommand } from '../core/command.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'

/** `reason` says why it is not wanted. */
export type AbsentFolderOptions = Readonly<{ path: string; reason: string }>

/** The absence of the folder. */
export function absentFolder({ path, reason }: AbsentFolderOptions): Resource {
  return {
    id: `absent-folder:${path}`,
    absent: leavesNothing('it makes nothing'),
    plan: async (getFact) => {
      const { kind } = await getFact(pathFact(path))
      if (kind !== 'directory') return []
      return [{ action: `remove ${path}`, reason, commands: [changeCommand('rm', '-rf', '--', path)] }]
    },
  }
}
