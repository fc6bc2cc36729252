/** The nightly backup and the drills that restore it: folders, services, timers. */

import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { render } from '../core/template.ts'
import { absentUnit } from '../resources/absent-unit.ts'
import { directory } from '../resources/directory.ts'
import { unit } from '../resources/unit.ts'
import { BACKUP_SECRET_IDS } from '../secrets/backup-secret.ts'
import { optionalCredentialLines } from '../secrets/credential.ts'
import { memoryLimits } from '../spec/memory-limit.ts'
import type { Role } from '../spec/role.ts'
import { isExternal } from '../storage/storage-spec.ts'

/** What the gateway of a proof takes. */
const PROOF_MEGABYTES = 256

/** The retention and the public half of the recovery key are in the service's arguments. */
const backups: Role = ({ backup: { schedule, recoveryKey, store, ...keep }, ...spec }, text) => [
  directory({ path: HOST_PATH.backupFolder, owner: 'root', group: 'root', mode: '0700' }),
  unit({
    name: UNIT.backup,
    content: (traits) =>
      render(text(`units/${UNIT.backup}.hbs`), {
        ...{ ...keep, recoveryKey, hasStore: store !== undefined },
        memoryMegabytes: memoryLimits(spec, traits.memoryMegabytes).job + PROOF_MEGABYTES,
        credentials: BACKUP_SECRET_IDS.flatMap((id) => optionalCredentialLines(traits, id)),
      }),
    isEnabled: false,
    isRunning: false,
  }),
  unit({ name: UNIT.backupTimer, content: render(text(`units/${UNIT.backupTimer}.hbs`), { schedule }) }),
]

const drills: Role = (spec, text) => [
  directory({ path: HOST_PATH.drillFolder, owner: 'root', group: 'root', mode: '0755' }),
  unit({
    name: UNIT.drill,
    content: (traits) =>
      render(text(`units/${UNIT.drill}.hbs`), {
        memoryMegabytes: memoryLimits(spec, traits.memoryMegabytes).job + PROOF_MEGABYTES,
        credentials: BACKUP_SECRET_IDS.flatMap((id) => optionalCredentialLines(traits, id)),
      }),
    isEnabled: false,
    isRunning: false,
  }),
  unit({ name: UNIT.drillTimer, content: text(`units/${UNIT.drillTimer}`) }),
]

/** The role `backup`. A database that somebody else runs is backed up by them; backups of an earlier one stay. */
export const backup: Role = (spec, text) => {
  if (!isExternal(spec, 'database')) return [...backups(spec, text), ...drills(spec, text)]
  const reason = 'storage.database is external: whoever runs it backs it up'
  return [UNIT.backupTimer, UNIT.backup, UNIT.drillTimer, UNIT.drill].map((name) => absentUnit({ name, reason }))
}
