/** The major version of PostgreSQL's data: a release that pins another one moves them; the earlier data stay until the release is accepted. */
import { OWN_ROLES, ROLE } from '../../contract/database-role.ts'
import { changeCommand, within } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Command, Fact, GetFact } from '../core/host.ts'
import { type Change, leavesNothing, type Resource } from '../core/resource.ts'
import { isMovable } from '../facts/cluster.ts'
import { contentFact, type PathState, pathFact } from '../facts/path.ts'
import { resolveUnitText, type UnitSource } from '../files/unit-text.ts'

/**
 * `folder` holds the data; `version` is the major version of `image`, which runs as account `uid`; `unit` is what the unit of the server will be made of, and `script` moves. With `isFinishing` the
 * data that an earlier move has kept go.
 */
export type PostgresMoveOptions = Readonly<{
  folder: string
  script: string
  version: string
  image: string
  uid: number
  unit: UnitSource
  isFinishing: boolean
}>

/** Sizes in kilobytes, the versions of clusters that were kept, and what of the server is not ours; `isAsked`: it could be asked. */
type Cluster = Readonly<{
  usedKilobytes: number
  freeKilobytes: number
  kept: readonly string[]
  foreign: readonly string[]
  isAsked: boolean
}>

/** Names are asked for in pg_catalog alone: nothing that a role has made runs. */
const FOREIGN = `SELECT 'foreign database ' || datname FROM pg_catalog.pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', 'tappass') AND datname !~ '^tappass_[a-z0-9_]+$'
UNION ALL SELECT 'foreign role ' || rolname FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' AND rolname NOT IN (${[ROLE.superuser, ...OWN_ROLES].map((role) => `'${role}'`).join(', ')})
UNION ALL SELECT 'asked'`

const SCRIPT = `du -sk -- "$1/cluster" | sed 's/[^0-9].*//; s/^/used /'
df -Pk -- "$1" | awk 'NR == 2 { print "free", $4 }'
for each in "$1"/cluster.*/PG_VERSION; do [ -e "$each" ] && sed 's/^/kept /' "$each"; done
timeout 10 docker exec tappass-postgres psql --no-psqlrc --quiet --tuples-only --no-align --host /tappass/run --username postgres --dbname postgres --command "$2" 2>/dev/null || :`

/** What there is to move, and how much room for it. */
export function clusterFact(folder: string): Fact<Cluster> {
  return {
    query: { argv: ['sh', '-c', SCRIPT, 'sh', folder, FOREIGN], effect: 'read' },
    parse: ({ stdout }) => {
      const lines = stdout.split('\n')
      const all = (key: string) =>
        lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1))
      return {
        ...{ usedKilobytes: Number(all('used')[0]), freeKilobytes: Number(all('free')[0]) },
        ...{ kept: all('kept'), foreign: all('foreign'), isAsked: lines.includes('asked') },
      }
    },
  }
}

/** PostgreSQL's log of what is written, at most (`max_wal_size`), and what is written elsewhere meanwhile. */
const SPARE_KILOBYTES = 1_500_000

function assertRoom(folder: string, { usedKilobytes, freeKilobytes }: Cluster): void {
  const needed = usedKilobytes + SPARE_KILOBYTES
  if (freeKilobytes >= needed) return
  throw refusedFailure(
    `there is no room to move the database in ${folder} to another version of PostgreSQL`,
    `${Math.ceil(needed / 1024)} MB are needed beside it, and ${Number.isNaN(freeKilobytes) ? 'nobody knows how many' : Math.floor(freeKilobytes / 1024)} are free`,
    'make room or a larger disk; until then go on with the release that is in force',
  )
}

function assertOurs({ foreign, isAsked }: Cluster): void {
  if (foreign.length === 0 && isAsked) return
  throw refusedFailure(
    'the database can not be moved to another version of PostgreSQL',
    isAsked ? `there is a ${foreign.join(', ')}, which is not ours and would be left behind` : 'it does not answer',
    isAsked ? 'dump and drop it first, in docker exec tappass-postgres psql   (on the host)' : 'tappass logs postgres',
  )
}

/** Days of a large database; the unit ends first, then the command that waits for it. */
const HOURS_MAX = 24

/** A move that another run has begun is waited for. It goes on whatever becomes of who started it. */
const MOVE = `while systemctl is-active --quiet tappass-postgres-move.service; do sleep 1; done
! [ "$(cat "$1/cluster/PG_VERSION")" = "$4" ] || exit 0
cat >"$1/unit.next"
exec systemd-run --quiet --pipe --wait --collect --service-type=exec --unit=tappass-postgres-move \\
  --property=RuntimeMaxSec=$7 --property=UMask=0077 --property=LimitCORE=0 --property="ExecStopPost=/bin/sh $2 settle" \\
  /bin/sh "$2" "$3" "$4" "$5" "$6" </dev/null`

function moveCommand(
  { folder, script, version, image, uid }: PostgresMoveOptions,
  from: string,
  text: string,
): Command {
  const args = [folder, script, from, version, image, String(uid), String((HOURS_MAX - 1) * 3600)]
  return within(HOURS_MAX * 60, { argv: ['sh', '-euc', MOVE, 'sh', ...args], effect: 'change', stdin: text })
}

async function planMove(getFact: GetFact, options: PostgresMoveOptions, from: string): Promise<readonly Change[]> {
  const { folder, version, unit } = options
  const [cluster, { text }] = await Promise.all([getFact(clusterFact(folder)), resolveUnitText(getFact, unit)])
  assertRoom(folder, cluster)
  assertOurs(cluster)
  const megabytes = Math.ceil(cluster.usedKilobytes / 1024)
  return [
    {
      action: `move the database from PostgreSQL ${from} to ${version}`,
      reason: `this release runs PostgreSQL ${version}; ${megabytes} MB are dumped, restored beside and compared row by row, and the gateway stands still meanwhile; the data of ${from} stay until upgrade --finish`,
      commands: [moveCommand(options, from, text)],
    },
  ]
}

async function leftovers(getFact: GetFact, folder: string): Promise<readonly PathState[]> {
  return await Promise.all(['moving', 'next'].map((name) => getFact(pathFact(`${folder}/${name}`))))
}

/** What a move that was killed has left, and with the word for it what it has kept. */
async function planLeft(getFact: GetFact, { folder, script, isFinishing }: PostgresMoveOptions) {
  const left = await leftovers(getFact, folder)
  const cleared: readonly Change[] = left.every(({ kind }) => kind === 'absent')
    ? []
    : [
        {
          action: 'clear up after a move of the database',
          reason: 'it was ended',
          commands: [within(60, changeCommand('sh', script, 'settle'))],
        },
      ]
  const kept = isFinishing ? (await getFact(clusterFact(folder))).kept.filter((each) => /^\d+$/.test(each)) : []
  const removals = kept.map((each): Change => {
    const path = `${folder}/cluster.${each}`
    const commands = [changeCommand('rm', '-rf', '--', path)] as const
    return { action: `remove ${path}`, reason: 'the release with the newer PostgreSQL is accepted', commands }
  })
  return [...cleared, ...removals]
}

/** The data, of the version that this release runs. Without room, or with something in the server that is not ours, a `Failure` (exit 5) before anything has changed. */
export function postgresMove(options: PostgresMoveOptions): Resource {
  const { folder, version } = options
  return {
    id: `postgres-move:${folder}`,
    absent: leavesNothing('it goes with the folder of the data'),
    plan: async (getFact) => {
      // All at once: a run with nothing to do asks the host once.
      const [content] = await Promise.all([
        getFact(contentFact(`${folder}/cluster/PG_VERSION`)),
        leftovers(getFact, folder),
      ])
      const found = content?.trim()
      if (found === undefined) return []
      if (found === version) return await planLeft(getFact, options)
      return isMovable(found, version) ? await planMove(getFact, options, found) : []
    },
  }
}
