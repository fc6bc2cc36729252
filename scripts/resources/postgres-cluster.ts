/** PostgreSQL's data on the host: made by the server itself, and never changed by a run; only whether the desired server can open them. */
import { HOST_PATH } from '../../contract/path.ts'
import { refusedFailure } from '../core/failure.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { contentFact, pathFact, targetFact } from '../facts/path.ts'

/** `path` is the cluster's folder; `reference` (`postgres:16.14-alpine@…`) and `uid` (its account) are of the image that is to open it. */
export type PostgresClusterOptions = Readonly<{ path: string; reference: string; uid: number }>

/** PostgreSQL opens data of its own major version only: the 16 of `postgres:16.14-alpine@…`. */
function majorOf(reference: string): string {
  return /:(\d+)[^/]*$/.exec(reference.split('@')[0] ?? '')?.[1] ?? ''
}

/** The settings of the instances name a database only where it is on the host. A server that had one would begin anew, empty, and go on as if nothing was lost. */
function assertNeverUsed(path: string, current: string | undefined, settings: string | undefined): void {
  if (current === undefined || settings === undefined || !/^DATABASE_URL=/m.test(settings)) return
  throw refusedFailure(
    `the database of this server is gone: there is no ${path}`,
    `release ${current.split('/').at(-1)} was in force with it; a new one would be empty`,
    'mount the disk that it is on, or restore a backup: docs/how-to/backup.md. To begin anew: tappass uninstall --data',
  )
}

/**
 * The cluster, where there is one. One that is gone although a release was in force with it, or that the image can't open, is a `Failure` (exit 5): the server that runs goes on, and would
 * not come back after a restart with the other image.
 */
export function postgresCluster({ path, reference, uid }: PostgresClusterOptions): Resource {
  const versionPath = `${path}/PG_VERSION`
  return {
    id: `postgres-cluster:${path}`,
    absent: leavesNothing('it goes with the folder of the data'),
    plan: async (getFact) => {
      const [folder, file, content, current, settings] = await Promise.all([
        getFact(pathFact(path)),
        getFact(pathFact(versionPath)),
        getFact(contentFact(versionPath)),
        getFact(targetFact(HOST_PATH.currentRelease)),
        getFact(contentFact(HOST_PATH.gatewayEnvironment)),
      ])
      if (folder.kind === 'absent') {
        assertNeverUsed(path, current, settings)
        return []
      }
      const [found, desired] = [content?.trim(), majorOf(reference)]
      if (found !== desired) {
        throw refusedFailure(
          `the database in ${path} is not one of PostgreSQL ${desired}`,
          `${versionPath} ${found === undefined ? 'cannot be read' : `says ${JSON.stringify(found.slice(0, 20))}`}, and ${reference.split('@')[0]} opens version ${desired} only`,
          `go on with the release that made it; to move the data, make a backup with that release and restore it into an empty host: docs/how-to/backup.md`,
        )
      }
      const other = [folder, file].find((state) => state.kind === 'absent' || state.uid !== uid)
      if (other !== undefined && other.kind !== 'absent') {
        throw refusedFailure(
          `the database in ${path} belongs to account ${other.uid}`,
          `PostgreSQL runs as account ${uid} inside ${reference.split('@')[0]}, and opens its own files only`,
          `give the files to it while the database is stopped: systemctl stop tappass-postgres && chown -R ${uid}:${uid} ${path}   (on the host)`,
        )
      }
      return []
    },
  }
}
