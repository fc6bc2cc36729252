/** The target that starts everything after a reboot or a power cut, and the command on the PATH. */

import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { link } from '../resources/link.ts'
import { unit } from '../resources/unit.ts'
import type { Role } from '../spec/role.ts'

/** The role `boot`. It comes late, because starting the target starts every unit that it wants. */
export const boot: Role = (_, text) => [
  link({
    path: HOST_PATH.command,
    target: `${HOST_PATH.currentRelease}/tappass`,
    ownedFolder: HOST_PATH.programFolder,
  }),
  unit({ name: UNIT.target, content: text(`units/${UNIT.target}`) }),
]
