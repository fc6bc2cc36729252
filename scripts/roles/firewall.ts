/** The packet filter. It comes after the ingress, so that nothing is closed that serves still. */
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import type { Resource } from '../core/resource.ts'
import { absentFile } from '../resources/absent-file.ts'
import { absentFolder } from '../resources/absent-folder.ts'
import { absentUnit } from '../resources/absent-unit.ts'
import { aptPackage } from '../resources/apt-package.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import { outboundNames } from '../resources/outbound-names.ts'
import { packetFilter } from '../resources/packet-filter.ts'
import { unit } from '../resources/unit.ts'
import { filterSetting, outboundList } from '../spec/filter-setting.ts'
import type { Role } from '../spec/role.ts'

const ROOT = { owner: 'root', group: 'root' } as const
const SCRIPT = 'scripts/outbound-addresses.sh'

/** The addresses are found before anything is closed to others. */
function findingNames(rows: readonly string[], text: (path: string) => string): readonly Resource[] {
  const isStarted = { isEnabled: false, isRunning: false }
  return [
    directory({ path: HOST_PATH.outboundFolder, ...ROOT, mode: '0755' }),
    file({ path: HOST_PATH.outboundScript, content: text(SCRIPT), ...ROOT, mode: '0644' }),
    unit({ name: UNIT.outbound, content: text(`units/${UNIT.outbound}`), ...isStarted }),
    outboundNames({ rows }),
  ]
}

/** Taken away once no rule refers to it. */
function withoutNames(reason: string): readonly Resource[] {
  return [
    ...[UNIT.outboundTimer, UNIT.outbound].map((name) => absentUnit({ name, reason })),
    ...[HOST_PATH.outboundList, HOST_PATH.outboundScript].map((path) => absentFile({ path, reason })),
    absentFolder({ path: HOST_PATH.outboundFolder, reason }),
  ]
}

/** The role `firewall`. */
export const firewall: Role = (spec, text) => {
  const options = filterSetting(spec, text)
  if (options === undefined) return [packetFilter(undefined), ...withoutNames('the setting firewall is none')]
  const rows = outboundList(spec, text)
  return [
    aptPackage({ id: 'nftables', names: ['nftables'], waiting: text('scripts/first-boot.sh') }),
    ...(rows === undefined ? [] : findingNames(rows, text)),
    packetFilter(options),
    ...(rows === undefined
      ? withoutNames('the setting firewall.outbound is not written')
      : [unit({ name: UNIT.outboundTimer, content: text(`units/${UNIT.outboundTimer}`) })]),
  ]
}
