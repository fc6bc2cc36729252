/** The way to a release: a host that would jump over a stop of the upgrade ladder is refused, and is told the path. */
import { HOST_PATH } from '../../contract/path.ts'
import { pathOf, type Stop, stopsBetween } from '../artifacts/release-ladder.ts'
import { refusedFailure } from '../core/failure.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { targetFact } from '../facts/path.ts'

/** `version` is that of the release to install, `stops` are those that it knows. */
export type ReleasePathOptions = Readonly<{ version: string; stops: readonly Stop[] }>

/** The way, which is never planned: it is there, or a `Failure` (exit 5). */
export function releasePath({ version, stops }: ReleasePathOptions): Resource {
  return {
    id: `release-path:${HOST_PATH.programFolder}`,
    absent: leavesNothing('it is data of the release'),
    plan: async (getFact) => {
      const from = (await getFact(targetFact(HOST_PATH.currentRelease)))?.split('/').at(-1)
      if (from === undefined) return []
      const [stop] = stopsBetween(stops, from, version)
      if (stop === undefined) return []
      throw refusedFailure(
        `release ${version} can't be reached from ${from} in one step`,
        `${stop.reason}; the path is ${pathOf(stops, from, version).join(' -> ')}`,
        `go to ${stop.version} first: tappass upgrade --archive FILE   (with the archive of that release), then run the same command again`,
      )
    },
  }
}
