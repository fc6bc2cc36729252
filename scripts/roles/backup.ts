/** The nightly backup: the folder, the service, and its timer; and the copy of what was backed up to a store. */

import { STORE_CREDENTIALS } from '../../contract/backup-store.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { render } from '../core/template.ts'
import { hasSteppedRestart } from '../facts/distribution.ts'
import { absentFile } from '../resources/absent-file.ts'
import { absentUnit } from '../resources/absent-unit.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import { unit } from '../resources/unit.ts'
import { credentialLine } from '../secrets/credential.ts'
import { storeOf, storeSettingsText } from '../spec/backup-store-spec.ts'
import { memoryLimits } from '../spec/memory-limit.ts'
import { nodeProxyLines } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'
import { isExternal } from '../storage/storage-spec.ts'

/** The retention is in the service's arguments. */
const backups: Role = (spec, text) => {
  const { schedule, keepDaily, keepWeekly } = spec.backup
  const hasStore = storeOf(spec) !== undefined
  return [
    directory({ path: HOST_PATH.backupFolder, owner: 'root', group: 'root', mode: '0700' }),
    unit({
      name: UNIT.backup,
      content: (traits) =>
        render(text(`units/${UNIT.backup}.hbs`), {
          ...{ keepDaily, keepWeekly, hasStore },
          memory: memoryLimits(spec, traits.memoryMegabytes),
        }),
      isEnabled: false,
      isRunning: false,
    }),
    unit({ name: UNIT.backupTimer, content: render(text(`units/${UNIT.backupTimer}.hbs`), { schedule }) }),
  ]
}

/** A secret that was replaced is read by the next run, which is a process of its own. */
const copies: Role = (spec, text) => {
  const [store, { recoveryKey = '' }] = [storeOf(spec), spec.backup]
  if (store === undefined) {
    const reason = 'the setting backup.store is not written'
    return [
      ...[UNIT.backupCopyTimer, UNIT.backupCopy].map((name) => absentUnit({ name, reason })),
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
  ]
}

/** The role `backup`. A database that somebody else runs is backed up by them; backups of an earlier one stay. */
export const backup: Role = (spec, text) => {
  if (!isExternal(spec, 'database')) return [...copies(spec, text), ...backups(spec, text)]
  const reason = 'storage.database is external: whoever runs it backs it up'
  return [...[UNIT.backupTimer, UNIT.backup].map((name) => absentUnit({ name, reason })), ...copies(spec, text)]
}
