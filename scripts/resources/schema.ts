/**
 * The database's schema, brought to what a release needs before anything runs from it. A release that does not know a migration of the
 * database is refused. Before migrations run, a backup is taken.
 */
import type { MigrationPhase } from '../../contract/migration-header.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import type { ReleaseArchive } from '../artifacts/artifact.ts'
import { type KnownMigration, type SchemaStatus, schemaStatusFact } from '../control/schema-status.ts'
import { changeCommand, scriptCommand, within } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Command, GetFact } from '../core/host.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import type { PerHost } from '../facts/host-trait.ts'
import { contentFact, digestFact, pathFact, targetFact } from '../facts/path.ts'
import { resolveUnitText } from '../files/unit-text.ts'
import { credentialPaths } from '../secrets/credential.ts'

/**
 * `migration` is the text of a unit that runs the migrations of the release in a folder once and tries nothing again: those that come before its acceptance, or with
 * `isFinishing` all. `phaseOf` is what a file of the release says. `isFinishing`: what waited for the acceptance of the release is run. `addresses` are the ids of the credentials that
 * say where the database is, none where it is on the host.
 */
export type SchemaOptions = Readonly<{
  pack: ReleaseArchive
  migration: (folder: string, isFinishing: boolean) => PerHost<string>
  phaseOf?: (file: string) => MigrationPhase | undefined
  isFinishing?: boolean
  addresses?: readonly string[]
}>

/** Only while a run lasts: what is in /run does not come back after a reboot, and no migration runs unasked. */
const MIGRATION_UNIT = 'tappass-migrate-next.service'

/** A little longer than systemd lets the backup and the migrations take (units/). */
const BACK_UP_MINUTES = 6 * 60 + 10
const MIGRATE_MINUTES = 40

/** Throws a `Failure` (exit 5) when the release does not have a migration of the database as it was run, unless that has only added something. */
function assertKnown({ version, manifest }: ReleaseArchive, { applied }: SchemaStatus): void {
  const own = new Set(manifest.split('\n'))
  const isAbsentFile = (file: string) => !manifest.includes(`  ./migrations/${file}\n`)
  const unknown = applied.find(
    ({ file, sha256, phase }) =>
      !own.has(`${sha256}  ./migrations/${file}`) && !(phase === 'expand' && isAbsentFile(file)),
  )
  if (unknown === undefined) return
  const isAbsent = isAbsentFile(unknown.file)
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

/** Records where migrations were run, whole or not at all; without an address there is no record. `$1` is its path, the rest are credentials. */
const RECORD = `umask 077; record=$1; shift
if [ $# = 0 ]; then rm -f -- "$record"; exit; fi
for path do if [ -f "$path" ]; then sha256sum -- "$path"; fi; done >"$record.new"; sync -- "$record.new"; mv -fT -- "$record.new" "$record"`

function recordCommand(paths: readonly string[]): Command {
  return scriptCommand(RECORD, [HOST_PATH.migratedAddress, ...paths])
}

/** Whether migrations were run last at the address that the host has now. A digest is that of a credential's file, not of its value. */
async function isKnownAddress(getFact: GetFact, paths: readonly string[]): Promise<boolean> {
  const [record, ...digests] = await Promise.all([
    getFact(contentFact(HOST_PATH.migratedAddress)),
    ...paths.map((path) => getFact(digestFact(path))),
  ])
  if (paths.length === 0) return record === undefined
  const lines = paths.flatMap((path, index) => (digests[index] === undefined ? [] : [`${digests[index]}  ${path}\n`]))
  return lines.length > 0 && record === lines.join('')
}

/** What is to be run, by which release's own files, in order. */
type MigrationRun = Readonly<{ folder: string; isFinishing: boolean; files: readonly KnownMigration[] }>

/** What the current release says, and the wanted one where it is installed. */
async function statusesOf(getFact: GetFact, current: string | undefined, own: string | undefined) {
  const [ownStatus, earlier] = await Promise.all([
    own === undefined ? undefined : getFact(schemaStatusFact(own)),
    current === undefined || current === own ? undefined : getFact(schemaStatusFact(current)),
  ])
  return { own: ownStatus, earlier }
}

function pendingOf({ pack: { manifest }, phaseOf }: SchemaOptions, applied: SchemaStatus['applied'] = []) {
  const done = new Set(applied.map(({ file }) => file))
  const files = [...manifest.matchAll(/^\S+ {2}\.\/migrations\/(\d{3}_\S+\.sql)$/gm)].map(([, file = '']) => file)
  return files
    .filter((file) => !done.has(file))
    .map((file): KnownMigration => ({ file, phase: phaseOf?.(file) ?? null }))
}

function isWaiting({ phase }: KnownMigration): boolean {
  return phase === 'contract'
}

/**
 * What waited for the acceptance of the current release is run by that release, and only where the wanted one has it: going back to a release before runs
 * nothing of that kind.
 */
function runsOf(
  { pack: { manifest } }: SchemaOptions,
  {
    folder,
    current,
    earlier,
  }: Readonly<{ folder: string; current: string | undefined; earlier: SchemaStatus | undefined }>,
  pending: readonly KnownMigration[],
  isEmpty: boolean,
): readonly MigrationRun[] {
  const waited = (earlier?.pending ?? []).filter(
    (each) => isWaiting(each) && manifest.includes(`/migrations/${each.file}\n`),
  )
  const runs = [
    ...(current === undefined ? [] : [{ folder: current, isFinishing: true, files: waited }]),
    { folder, isFinishing: false, files: pending.filter((each) => isEmpty || !isWaiting(each)) },
  ]
  return runs.filter(({ files }) => files.length > 0)
}

function namesOf(runs: readonly MigrationRun[]): string {
  const files = runs.flatMap((each) => each.files)
  return files.map(({ file, phase }) => (phase ? `${file} (${phase})` : file)).join(' ')
}

/** The schema for a release. While the release is the current one, only what waits for that is asked for, and only when it was said. */
export function schema(options: SchemaOptions): Resource {
  const { pack, migration, addresses = [], isFinishing = false } = options
  const folder = `${HOST_PATH.releasesFolder}/${pack.version}`
  const isElsewhere = addresses.length > 0
  const command = async (getFact: GetFact, run: Omit<MigrationRun, 'files'>) =>
    migrateCommand((await resolveUnitText(getFact, { content: migration(run.folder, run.isFinishing) })).text)
  const changesOf = async (getFact: GetFact, runs: readonly MigrationRun[], isEmpty: boolean, reason: string) => {
    const [first, ...rest] = await Promise.all(runs.map((run) => command(getFact, run)))
    if (first === undefined) return []
    return isEmpty || isElsewhere
      ? [{ action: 'migrate the database', reason, commands: [first, ...rest] } as const]
      : [{ action: 'back up the database and migrate it', reason, commands: [BACK_UP, first, ...rest] } as const]
  }
  return {
    id: `schema:${HOST_PATH.releasesFolder}`,
    absent: leavesNothing('it is in the database'),
    plan: async (getFact) => {
      const paths = addresses.flatMap(credentialPaths)
      const [current, installed, isSameDatabase, own] = await Promise.all([
        getFact(targetFact(HOST_PATH.currentRelease)),
        getFact(pathFact(folder)),
        isKnownAddress(getFact, paths),
        command(getFact, { folder, isFinishing: false }),
      ])
      if (!isSameDatabase) {
        // Whoever asks the host now is told of the database before. What does not fit this one is refused by the migrations themselves.
        const commands = [own, recordCommand(paths)] as const
        return [{ action: 'migrate the database', reason: 'its address is another one than before', commands }]
      }
      if (current === folder && !isFinishing) return []
      const status = await statusesOf(getFact, current, installed.kind === 'absent' ? undefined : folder)
      if (status.own !== undefined) refuse(status.own)
      if (current === folder) {
        const files = (status.own?.pending ?? []).filter(isWaiting)
        const runs = files.length === 0 ? [] : [{ folder, isFinishing: true, files }]
        return changesOf(getFact, runs, false, `its release is accepted: ${namesOf(runs)}`)
      }
      if (status.own === undefined && status.earlier !== undefined) assertKnown(pack, status.earlier)
      const applied = (status.own ?? (installed.kind === 'absent' ? status.earlier : undefined))?.applied
      const pending = status.own?.pending ?? pendingOf(options, applied)
      // What does not answer now may have data.
      const isEmpty = applied === undefined ? current === undefined : applied.length === 0
      const runs = runsOf(options, { folder, current, earlier: status.earlier }, pending, isEmpty)
      if (applied !== undefined) return changesOf(getFact, runs, isEmpty, `not run yet: ${namesOf(runs)}`)
      const unknown = pending.length === 0 ? 'the database is not known yet' : `not run yet: ${namesOf(runs)}`
      const all = runs.length === 0 ? [{ folder, isFinishing: false, files: pending }] : runs
      return changesOf(getFact, all, isEmpty, unknown)
    },
  }
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
