/**
 * The time for which the instances of a new release are watched, after all of them serve and before it is in force: until then what was before is what a
 * reboot starts, and a failure puts it back. The host watches by itself (`scripts/watch-instances.sh`), so that a lost connection ends nothing.
 */
import { HOST_PATH } from '../../contract/path.ts'
import { scriptCommand, within } from '../core/command.ts'
import type { Fact } from '../core/host.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { contentFact, targetFact } from '../facts/path.ts'

/** `version` is the release, `instances` are its units; `serving` is how their status begins while they are well. `script` is the text of the one that watches. */
export type SoakOptions = Readonly<{
  version: string
  instances: readonly string[]
  serving: string
  seconds: number
  script: string
}>

/** Which processes run now. What was watched is true of those very processes only. */
function processesFact({ version, instances, script }: SoakOptions): Fact<string> {
  return {
    query: { argv: ['sh', '-c', script, 'sh', 'mark', version, ...instances], effect: 'read' },
    parse: ({ stdout }) => stdout,
    planned: () => undefined,
  }
}

/** The watch of a release that is not in force yet. */
export function soak(options: SoakOptions): Resource {
  const { version, instances, serving, seconds, script } = options
  return {
    id: `soak:${HOST_PATH.releasesFolder}`,
    absent: leavesNothing('its mark is gone after a reboot'),
    plan: async (getFact) => {
      const [current, mark, processes] = await Promise.all([
        getFact(targetFact(HOST_PATH.currentRelease)),
        getFact({ ...contentFact(HOST_PATH.soaked), planned: () => undefined }),
        getFact(processesFact(options)),
      ])
      const isInForce = current === undefined || current === `${HOST_PATH.releasesFolder}/${version}`
      if (isInForce || mark === processes) return []
      const args = ['watch', version, `${seconds}`, HOST_PATH.soaked, serving, ...instances]
      return [
        {
          action: `watch the instances for ${seconds} s`,
          reason: `release ${version} is not accepted yet`,
          commands: [within(Math.ceil(seconds / 60) + 10, scriptCommand(script, args))],
        },
      ]
    },
  }
}
