/** The nightly backup: the folder, the service, and its timer. */
import { render } from '../core/template.ts'
import { directory } from '../resources/directory.ts'
import { unit } from '../resources/unit.ts'
import type { Role } from '../spec/role.ts'

/** The role `backup`. The retention is in the service's arguments. */
export const backup: Role = ({ backup: { schedule, ...keep } }, text) => [
  directory({ path: '/var/lib/tappass/backup', owner: 'root', group: 'root', mode: '0700' }),
  unit({
    name: 'tappass-backup.service',
    content: render(text('units/tappass-backup.service.hbs'), keep),
    isEnabled: false,
    isRunning: false,
  }),
  unit({ name: 'tappass-backup.timer', content: render(text('units/tappass-backup.timer.hbs'), { schedule }) }),
]
