/** What brings all of it back after a reboot or a power cut, without anybody. */
import type { Role } from '../core/role.ts'
import { unit } from '../resources/unit.ts'

/** Last, because starting the target starts every unit that hangs on it. */
export const boot: Role = (_, text) => [unit({ name: 'tappass.target', content: text('units/tappass.target') })]
