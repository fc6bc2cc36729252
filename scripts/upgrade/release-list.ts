/** What is shown of the releases on a host. */
import type { SchemaStatus } from '../control/schema-status.ts'
import { schemaStatusFact } from '../control/schema-status.ts'
import type { GetFact } from '../core/host.ts'
import { verifyHistory } from '../history/entry.ts'
import { historyFact } from '../history/history-fact.ts'
import type { ListedRelease } from '../output/event.ts'
import { acceptances } from './acceptance.ts'
import { type InstalledRelease, installedReleasesFact, releaseFolder } from './installed-release.ts'

/** Returns why the host can't be brought to a release that is there; undefined: it can. Pure. */
export function obstacleOf(
  { version, hasUpgrade }: InstalledRelease,
  current: string | undefined,
  status: SchemaStatus | undefined,
): string | undefined {
  if (version === current) return 'it is in force'
  if (!hasUpgrade) return 'it is of a time before "upgrade": bootstrap from a clone of it'
  if (status === undefined) return 'it can not be asked: the database does not answer it'
  return status.problems[0]?.message
}

/** Returns the releases of a host, the current one first and the one that was accepted last before others. */
export async function listReleases(getFact: GetFact): Promise<readonly ListedRelease[]> {
  const [{ releases, current, instances }, history] = await Promise.all([
    getFact(installedReleasesFact),
    getFact(historyFact),
  ])
  const accepted = acceptances(verifyHistory(history).generations)
  const listed = await Promise.all(
    releases.map(async (release): Promise<ListedRelease> => {
      const { version, newestMigration, hasUpgrade } = release
      const isAsked = version !== current && hasUpgrade
      const status = isAsked ? await getFact(schemaStatusFact(releaseFolder(version))) : undefined
      const last = accepted.findLast((each) => each.version === version)
      const obstacle = obstacleOf(release, current, status)
      return {
        version,
        isCurrent: version === current,
        instances: instances.filter((each) => each.version === version).map(({ instance }) => instance),
        ...(last === undefined ? {} : { accepted: { at: last.at, by: last.by, run: last.run } }),
        schema: newestMigration,
        ...(obstacle === undefined ? {} : { obstacle }),
      }
    }),
  )
  const order = ({ isCurrent, accepted: entry }: ListedRelease) =>
    isCurrent ? Number.POSITIVE_INFINITY : (entry?.run ?? 0)
  return listed.toSorted((one, other) => order(other) - order(one) || one.version.localeCompare(other.version))
}

/** The columns of the table. */
export const RELEASE_HEADER = [
  'release',
  'in force',
  'instances',
  'accepted (UTC)',
  'by',
  'schema',
  'can be gone to',
] as const

/** Returns the row of a release. */
export function releaseRow({
  version,
  isCurrent,
  instances,
  accepted,
  schema,
  obstacle,
}: ListedRelease): readonly string[] {
  return [
    ...[version, isCurrent ? 'yes' : '', instances.join(' ') || '-'],
    ...[accepted?.at.replace('T', ' ').replace('Z', '') ?? 'never', accepted?.by ?? '-', schema],
    obstacle === undefined ? 'yes' : isCurrent ? '-' : `no: ${obstacle}`,
  ]
}
