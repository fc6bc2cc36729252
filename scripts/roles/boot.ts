/** What brings all of it back after a reboot or a power cut, without anybody. */

import { unit } from '../resources/unit.ts'
import type { Role } from '../spec/role.ts'

/** Last, because starting the target starts every unit that hangs on it. */
export const boot: Role = (_, text) => [unit({ name: 'tappass.target', content: text('units/tappass.target') })]
