/** The look for drift: its timer, the service that looks and can change nothing, and where it is wanted the one that puts back what differs. */
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { parsePins } from '../artifacts/pin.ts'
import { render } from '../core/template.ts'
import { absentFolder } from '../resources/absent-folder.ts'
import { absentUnit } from '../resources/absent-unit.ts'
import { directory } from '../resources/directory.ts'
import { unit } from '../resources/unit.ts'
import type { Role } from '../spec/role.ts'

/** At a minute at which nothing else of ours begins. */
const SCHEDULES = { daily: '*-*-* 04:27:00 UTC', hourly: '*-*-* *:27:00 UTC' } as const

/** Of the toolkit, which has 130 MB when it plans, and of what it asks. */
const MEMORY_MEGABYTES = 256

/** The role `drift`. The units name the folders of their release and Node: a link that leads elsewhere is itself something to be found. */
export const drift: Role = (spec, text) => {
  const { check, repair } = spec.drift
  if (check === 'off') {
    const reason = 'drift.check is off'
    return [
      ...[UNIT.driftTimer, UNIT.drift, UNIT.repair].map((name) => absentUnit({ name, reason })),
      absentFolder({ path: HOST_PATH.driftFolder, reason }),
    ]
  }
  const [pin] = parsePins(text('versions.yaml')).node
  const program = {
    node: `${HOST_PATH.nodeFolder}/${pin?.version}`,
    release: `${HOST_PATH.releasesFolder}/${spec.release.version}`,
  }
  const isStarted = { isEnabled: false, isRunning: false }
  return [
    directory({ path: HOST_PATH.driftFolder, owner: 'root', group: 'root', mode: '0755' }),
    repair
      ? unit({ name: UNIT.repair, content: render(text(`units/${UNIT.repair}.hbs`), program), ...isStarted })
      : absentUnit({ name: UNIT.repair, reason: 'drift.repair is false' }),
    unit({
      name: UNIT.drift,
      content: render(text(`units/${UNIT.drift}.hbs`), { ...program, repair, memoryMegabytes: MEMORY_MEGABYTES }),
      ...isStarted,
    }),
    unit({
      name: UNIT.driftTimer,
      content: render(text(`units/${UNIT.driftTimer}.hbs`), { schedule: SCHEDULES[check], check }),
    }),
  ]
}
