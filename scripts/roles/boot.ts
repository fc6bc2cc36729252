/** The target that starts everything after a reboot or a power cut. */

import { UNIT } from '../../contract/unit.ts'
import { unit } from '../resources/unit.ts'
import type { Role } from '../spec/role.ts'

/** The role `boot`. It comes late, because starting the target starts every unit that it wants. */
export const boot: Role = (_, text) => [unit({ name: UNIT.target, content: text(`units/${UNIT.target}`) })]
