/** The copy of backups to a store elsewhere: where that is, the service, its timer, and what starts it when a segment of the log was archived. */

import { STORE_CREDENTIALS } from '../../contract/backup-store.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { render } from '../core/template.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import { absentFile } from '../resources/absent-file.ts'
import { absentUnit } from '../resources/absent-unit.ts'
import { file } from '../resources/file.ts'
import { unit } from '../resources/unit.ts'
import { credentialLine } from '../secrets/credential.ts'
import { memoryLimits } from '../spec/memory-limit.ts'
import { nodeProxyLines } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'
import { storeOf, storeSettingsText } from '../storage/backup-store-spec.ts'

/** The role `backup-copy`. A secret that was replaced is read by the next run, which is a process of its own. */
export const backupCopy: Role = (spec, text) => {
  const [store, { recoveryKey = '' }] = [storeOf(spec), spec.backup]
  if (store === undefined) {
    const reason = 'the setting backup.store is not written'
    return [
      ...[UNIT.backupCopyPath, UNIT.backupCopyTimer, UNIT.backupCopy].map((name) => absentUnit({ name, reason })),
      absentFile({ path: HOST_PATH.backupStoreSettings, reason }),
    ]
  }
  return [
    file({
      ...{ path: HOST_PATH.backupStoreSettings, content: storeSettingsText(store, recoveryKey) },
      ...{ owner: 'root', group: 'root', mode: '0644' },
    }),
    unit({
      name: UNIT.backupCopy,
      content: (traits) =>
        render(text(`units/${UNIT.backupCopy}.hbs`), {
          environment: nodeProxyLines(spec.proxy),
          credentials: STORE_CREDENTIALS[store.kind].map((id) => credentialLine(traits, id)),
          hasSteppedRestart: hasSteppedRestart(traits),
          memory: memoryLimits(spec, traits.memoryMegabytes),
        }),
      isEnabled: false,
      isRunning: false,
    }),
    unit({ name: UNIT.backupCopyTimer, content: text(`units/${UNIT.backupCopyTimer}`) }),
    spec.backup.pointInTimeDays > 0
      ? unit({ name: UNIT.backupCopyPath, content: text(`units/${UNIT.backupCopyPath}`) })
      : absentUnit({ name: UNIT.backupCopyPath, reason: 'backup.pointInTimeDays is 0' }),
  ]
}
