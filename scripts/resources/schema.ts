/**
 * The database's schema, brought to what a release needs before anything runs from it. A release that does not know a migration of the
 * database is refused. Before migrations run, a backup is taken.
 */
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import type { ReleaseArchive } from '../artifacts/artifact.ts'
import { processCommand } from '../control/process-target.ts'
import { changeCommand, within } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Command, Fact, GetFact } from '../core/host.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import type { PerHost } from '../facts/host-trait.ts'
import { pathFact, targetFact } from '../facts/path.ts'
import { resolveUnitText } from '../files/unit-text.ts'

/** `migration` is the text of a unit that runs the release's migrations once and tries nothing again. */
export type SchemaOptions = Readonly<{ pack: ReleaseArchive; migration: PerHost<string> }>

type Problem = Readonly<{ message: string; next: string }>

/** What a release says of the database: the files that were applied, those that it would apply, and why it would not. */
type SchemaStatus = Readonly<{
  applied: readonly Readonly<{ file: string; sha256: string }>[]
  pending: readonly Readonly<{ file: string }>[]
  problems: readonly Problem[]
}>

/** Only while a run lasts: what is in /run does not come back after a reboot, and no migration runs unasked. */
const MIGRATION_UNIT = 'tappass-migrate-next.service'

/** How long the question may take; a little longer than systemd lets the backup and the migrations take (units/). */
const STATUS_MINUTES = 1
const BACK_UP_MINUTES = 6 * 60 + 10
const MIGRATE_MINUTES = 40

/** What the release in a folder says, from there; undefined when it can't be run or the database does not answer. */
function schemaStatusFact(folder: string): Fact<SchemaStatus | undefined> {
  return {
    query: within(STATUS_MINUTES, processCommand('server/migrate.ts', ['status', '--json'], 'read', '', folder)),
    parse: ({ stdout }) => {
      try {
        const { applied = [], pending = [], problems } = JSON.parse(stdout) as Partial<SchemaStatus>
        return problems === undefined ? undefined : { applied, pending, problems }
      } catch {
        return undefined
      }
    },
  }
}

/** Throws a `Failure` (exit 5) when the release does not have a migration of the database as it was run. */
function assertKnown({ version, manifest }: ReleaseArchive, { applied }: SchemaStatus): void {
  const own = new Set(manifest.split('\n'))
  const unknown = applied.find(({ file, sha256 }) => !own.has(`${sha256}  ./migrations/${file}`))
  if (unknown === undefined) return
  const isAbsent = !manifest.includes(`  ./migrations/${unknown.file}\n`)
  throw refusedFailure(
    isAbsent
      ? `this release is older than the database: it does not know ${unknown.file}`
      : `${unknown.file} of this release is not the one that was run on the database`,
    `the release here is ${version}; it would refuse to start`,
    'use a clone of the release that runs there, or of a later one',
  )
}

function refuse({ problems }: SchemaStatus): void {
  const [problem] = problems
  if (problem !== undefined) throw refusedFailure(problem.message, 'the release refuses this database', problem.next)
}

/** Ends when the backup has: without one nothing is migrated. */
const BACK_UP = within(BACK_UP_MINUTES, changeCommand('systemctl', 'start', UNIT.backup))

/** Runs the unit once and takes it away again, whatever came of it. */
const MIGRATE = `printf %s "$4" >"/run/systemd/system/$2"; systemctl daemon-reload
code=0; systemctl start -- "$2" || code=$?
rm -f -- "/run/systemd/system/$2" "$3/$2" "$3/$2.read"; systemctl stop -- "$2" || true; systemctl reset-failed -- "$2" 2>/dev/null || true; systemctl daemon-reload
exit "$code"`

function migrateCommand(text: string): Command {
  return within(MIGRATE_MINUTES, {
    argv: ['sh', '-euc', MIGRATE, 'systemctl', 'start', MIGRATION_UNIT, HOST_PATH.revisionFolder, text],
    effect: 'change',
  })
}

/** The schema for a release. While the release is the current one, nothing is asked: its migrations were run before it came into force. */
export function schema({ pack, migration }: SchemaOptions): Resource {
  const folder = `${HOST_PATH.releasesFolder}/${pack.version}`
  return {
    id: `schema:${HOST_PATH.releasesFolder}`,
    absent: leavesNothing('it is in the database'),
    plan: async (getFact) => {
      const [current, installed, { text }] = await Promise.all([
        getFact(targetFact(HOST_PATH.currentRelease)),
        getFact(pathFact(folder)),
        resolveUnitText(getFact, { content: migration }),
      ])
      if (current === folder) return []
      const status = await statusOf(getFact, current, installed.kind === 'absent' ? undefined : folder)
      if (status?.own !== undefined) refuse(status.own)
      if (status?.earlier !== undefined) assertKnown(pack, status.earlier)
      const applied = (status?.own ?? status?.earlier)?.applied
      const pending = status?.own?.pending.map(({ file }) => file) ?? pendingOf(pack, applied)
      if (applied !== undefined && pending.length === 0) return []
      // What does not answer now may have data.
      const isEmpty = applied === undefined ? current === undefined : applied.length === 0
      const reason = pending.length === 0 ? 'the database is not known yet' : `not run yet: ${pending.join(' ')}`
      const migrate = migrateCommand(text)
      return isEmpty
        ? [{ action: 'migrate the database', reason, commands: [migrate] }]
        : [{ action: 'back up the database and migrate it', reason, commands: [BACK_UP, migrate] }]
    },
  }
}

/** What the release itself says where it is installed, and before that the one that is current. */
async function statusOf(getFact: GetFact, current: string | undefined, own: string | undefined) {
  if (own !== undefined) return { own: await getFact(schemaStatusFact(own)) }
  return current === undefined ? undefined : { earlier: await getFact(schemaStatusFact(current)) }
}

function pendingOf({ manifest }: ReleaseArchive, applied: SchemaStatus['applied'] = []): readonly string[] {
  const done = new Set(applied.map(({ file }) => file))
  const files = [...manifest.matchAll(/^\S+ {2}\.\/migrations\/(\d{3}_\S+\.sql)$/gm)].map(([, file = '']) => file)
  return files.filter((file) => !done.has(file))
}

/** Throws a `Failure` (exit 5) when the release that is current does not start on the database any more: a later one has migrated it. */
export async function assertCurrentStarts(getFact: GetFact): Promise<void> {
  const current = await getFact(targetFact(HOST_PATH.currentRelease))
  const status = current === undefined ? undefined : await getFact(schemaStatusFact(current))
  if (status === undefined || status.problems.length === 0) return
  throw refusedFailure(
    "the instances can't go back to the release before",
    `the database was migrated since: ${status.problems[0]?.message}`,
    `mend the release and run the same command again; the backup from before the migration is in ${HOST_PATH.backupFolder}`,
  )
}
