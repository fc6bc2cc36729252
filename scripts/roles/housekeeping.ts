/** What keeps a host in order while nobody looks: the time, security updates, the journal's size, and a daily check that says what ends. */

import { isIPv6 } from 'node:net'
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import type { Resource } from '../core/resource.ts'
import { render } from '../core/template.ts'
import type { HostTraits } from '../facts/host-trait.ts'
import { absentFile } from '../resources/absent-file.ts'
import { aptPackage } from '../resources/apt-package.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import { journalLimit } from '../resources/journal-limit.ts'
import { unit } from '../resources/unit.ts'
import { optionalCredentialLines } from '../secrets/credential.ts'
import { CHECK_SECRET_IDS } from '../secrets/secret-id.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { isPrepared } from '../spec/ingress-spec.ts'
import { memoryLimits } from '../spec/memory-limit.ts'
import { nodeProxyLines } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'
import { storeOf } from '../storage/backup-store-spec.ts'
import { isExternal } from '../storage/storage-spec.ts'

/** Any of them keeps the clock. */
const TIME_SERVICES = ['systemd-timesyncd', 'chrony', 'ntpsec', 'openntpd', 'ntp'] as const

const UPDATES = '/etc/apt/apt.conf.d/52tappass-updates'

/** Of drop-ins for journald; a bare host has none. */
const JOURNAL_FOLDER = '/etc/systemd/journald.conf.d'

/** Which updates are security updates, and whether they may start the machine anew, is said by the package's own file. */
const UPDATES_TEXT = `// Security updates of the distribution, every day (housekeeping.securityUpdates). Laid down by TapPass' toolkit; edits are undone at its
// next run. needrestart leaves our services alone: the next plan says which of them use replaced libraries, and bootstrap restarts them in turn.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
`

function updates({ housekeeping, bundle }: HostSpec, waiting: string): readonly Resource[] {
  if (!housekeeping.securityUpdates)
    return [absentFile({ path: UPDATES, reason: 'housekeeping.securityUpdates is false' })]
  return [
    aptPackage({
      id: 'security-updates',
      names: ['unattended-upgrades'],
      waiting,
      source: bundle?.packages['security-updates'],
    }),
    file({ path: UPDATES, content: UPDATES_TEXT, owner: 'root', group: 'root', mode: '0644' }),
  ]
}

/** Where Caddy is asked for its certificate; undefined where there is none. */
function certificateOf({ ingress, domain }: HostSpec, { network }: HostTraits): string | undefined {
  if (ingress === 'none' || !isPrepared(ingress, 'caddy')) return undefined
  const name = domain ?? network.name
  return `${isIPv6(name) ? `[${name}]` : name}:${ingress.https}`
}

/** The role `housekeeping`. */
export const housekeeping: Role = (spec, text) => {
  const { checkSchedule, secretDaysMax, licenseDaysMin, journalMegabytesMax, ...isOn } = spec.housekeeping
  const waiting = text('scripts/first-boot.sh')
  const template = text(`units/${UNIT.check}.hbs`)
  const content = (traits: HostTraits): string =>
    render(template, {
      ...{ secretDaysMax, licenseDaysMin, environment: nodeProxyLines(spec.proxy) },
      certificate: certificateOf(spec, traits),
      backups: isExternal(spec, 'database') ? '' : HOST_PATH.backupFolder,
      copies: storeOf(spec) === undefined ? '' : HOST_PATH.backupCopyFolder,
      credentials: CHECK_SECRET_IDS.flatMap((id) => optionalCredentialLines(traits, id)),
      memory: memoryLimits(spec, traits.memoryMegabytes),
    })
  return [
    ...(isOn.timeService
      ? [
          aptPackage({
            ...{ id: 'time-service', names: ['systemd-timesyncd'], waiting, instead: TIME_SERVICES },
            source: spec.bundle?.packages['time-service'],
          }),
        ]
      : []),
    ...updates(spec, waiting),
    directory({ path: JOURNAL_FOLDER, owner: 'root', group: 'root', mode: '0755' }),
    journalLimit({ megabytesMax: journalMegabytesMax }),
    unit({ name: UNIT.check, content, isEnabled: false, isRunning: false }),
    unit({
      name: UNIT.checkTimer,
      content: render(text(`units/${UNIT.checkTimer}.hbs`), { schedule: checkSchedule }),
    }),
  ]
}
