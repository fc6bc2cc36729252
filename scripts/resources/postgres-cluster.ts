/** PostgreSQL's data on the host: made by the server itself, and never changed by a run; only whether the desired server can open them. */
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { majorOf } from '../artifacts/image-reference.ts'
import { scriptCommand } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { GetFact } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { unitPath } from '../core/unit-command.ts'
import { isMovable } from '../facts/cluster.ts'
import { contentFact, type PathState, pathFact, targetFact } from '../facts/path.ts'
import { planFileAbsent } from '../files/removal.ts'

/**
 * `path` is the cluster's folder; `marker` the file that says, outside of it, that there were data; `reference` (`postgres:16.14-alpine@…`) and `uid` (its account) are of the image that is to
 * open it.
 */
export type PostgresClusterOptions = Readonly<{ path: string; marker: string; reference: string; uid: number }>

function refuseGone(path: string, why: string, marker: string): never {
  throw refusedFailure(
    `the database of this server is gone: there is no ${path}`,
    `${why}; a new one would be empty`,
    `mount the disk that it is on. If it is lost: rm ${marker}   (on the host), then bootstrap and restore a backup: docs/how-to/backup.md#a-database-that-is-gone`,
  )
}

/**
 * A server that had data would begin anew, empty, and go on as if nothing was lost. On a host of a release before the marker, the settings of the instances say it: they name a database only
 * where it is on the host.
 */
async function assertNeverUsed(getFact: GetFact, { path, marker }: PostgresClusterOptions): Promise<void> {
  const [version, unit, current, settings] = await Promise.all([
    getFact(contentFact(marker)),
    getFact(contentFact(unitPath(UNIT.postgres))),
    getFact(targetFact(HOST_PATH.currentRelease)),
    getFact(contentFact(HOST_PATH.gatewayEnvironment)),
  ])
  if (version !== undefined) refuseGone(path, `there was one of PostgreSQL ${version.trim().slice(0, 20)}`, marker)
  const isMarked = unit === undefined || unit.includes(marker)
  if (isMarked || current === undefined || !/^DATABASE_URL=/m.test(settings ?? '')) return
  refuseGone(path, `release ${current.split('/').at(-1)} was in force with it`, marker)
}

function assertVersion({ path, reference }: PostgresClusterOptions, content: string | undefined): string {
  const [found, desired] = [content?.trim(), majorOf(reference)]
  if (found === desired) return desired
  // The resource after this one moves them.
  if (found !== undefined && isMovable(found, desired)) return found
  throw refusedFailure(
    `the database in ${path} is not one of PostgreSQL ${desired}`,
    `${path}/PG_VERSION ${found === undefined ? 'cannot be read' : `says ${JSON.stringify(found.slice(0, 20))}`}, and ${reference.split('@')[0]} opens version ${desired} only`,
    `go on with the release that made it; to move the data, make a backup with that release and restore it into an empty host: docs/how-to/backup.md`,
  )
}

function assertOwner({ path, reference, uid }: PostgresClusterOptions, states: readonly PathState[]): void {
  const other = states.find((state) => state.kind === 'absent' || state.uid !== uid)
  if (other === undefined || other.kind === 'absent') return
  throw refusedFailure(
    `the database in ${path} belongs to account ${other.uid}`,
    `PostgreSQL runs as account ${uid} inside ${reference.split('@')[0]}, and opens its own files only`,
    `give the files to it while the database is stopped: systemctl stop tappass-postgres && chown -R ${uid}:${uid} ${path}   (on the host)`,
  )
}

/** The unit writes it, too, once the server has answered. */
const MARK = 'printf "%s\\n" "$2" >"$1.new"; sync -- "$1.new"; mv -- "$1.new" "$1"'

function planMarker(marker: string, marked: string | undefined, version: string): readonly Change[] {
  if (marked?.trim() === version) return []
  return [
    {
      action: `note in ${marker} that there are data`,
      reason: 'their folder, when it is empty one day, must not be taken for a new one',
      commands: [scriptCommand(MARK, [marker, version])],
    },
  ]
}

/**
 * The cluster, where there is one. One that is gone although there were data, or that the image can't open, is a `Failure` (exit 5): the server that runs goes on, and would
 * not come back after a restart with the other image. The unit refuses the same when nobody runs the toolkit (templates/postgres/check-data.sh).
 */
export function postgresCluster(options: PostgresClusterOptions): Resource {
  const { path, marker } = options
  return {
    id: `postgres-cluster:${path}`,
    // The data go with their folder.
    absent: async (getFact, { isWithData }) => (isWithData ? await planFileAbsent(getFact, marker) : []),
    plan: async (getFact) => {
      // All at once: a run with nothing to do asks the host once.
      const [folder, file, content, marked] = await Promise.all([
        getFact(pathFact(path)),
        getFact(pathFact(`${path}/PG_VERSION`)),
        getFact(contentFact(`${path}/PG_VERSION`)),
        getFact(contentFact(marker)),
      ])
      if (folder.kind === 'absent') {
        await assertNeverUsed(getFact, options)
        return []
      }
      const version = assertVersion(options, content)
      assertOwner(options, [folder, file])
      return planMarker(marker, marked, version)
    },
  }
}
