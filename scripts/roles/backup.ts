/** The nightly backup: the folder, the service, and its timer. */

import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { render } from '../core/template.ts'
import { absentUnit } from '../resources/absent-unit.ts'
import { directory } from '../resources/directory.ts'
import { unit } from '../resources/unit.ts'
import { memoryLimits } from '../spec/memory-limit.ts'
import type { Role } from '../spec/role.ts'
import { isExternal } from '../storage/storage-spec.ts'

/** The retention is in the service's arguments. */
const backups: Role = ({ backup: { schedule, ...keep }, ...spec }, text) => [
  directory({ path: HOST_PATH.backupFolder, owner: 'root', group: 'root', mode: '0700' }),
  unit({
    name: UNIT.backup,
    content: (traits) =>
      render(text(`units/${UNIT.backup}.hbs`), { ...keep, memory: memoryLimits(spec, traits.memoryMegabytes) }),
    isEnabled: false,
    isRunning: false,
  }),
  unit({ name: UNIT.backupTimer, content: render(text(`units/${UNIT.backupTimer}.hbs`), { schedule }) }),
]

/** The role `backup`. A database that somebody else runs is backed up by them; backups of an earlier one stay. */
export const backup: Role = (spec, text) => {
  if (!isExternal(spec, 'database')) return backups(spec, text)
  const reason = 'storage.database is external: whoever runs it backs it up'
  return [UNIT.backupTimer, UNIT.backup].map((name) => absentUnit({ name, reason }))
}
