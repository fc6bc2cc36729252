/**
 * Migrations as values: the files, the schema history, and the plan that follows from both. Nothing here touches a
 * file or a database; migrator.ts executes the plan.
 */
import { type MigrationHeader, type MigrationPhase, parseMigrationHeader } from '../../contract/migration-header.ts'
import { sha256 } from '../core/hash.ts'
import { statementWords, transactionWord } from '../database/sql-statement.ts'

/** A file as it was read. */
export type MigrationFile = Readonly<{ file: string; text: string }>

/** One migration. `sql` has LF line ends only, and `sha256` is over exactly that, so that a checkout can't change it. */
export type Migration = Readonly<{
  version: number
  name: string
  file: string
  sql: string
  sha256: string
  header: MigrationHeader
}>

/** A row of the schema history, as far as planning needs it. `phase` is what the file said when it was run; an older history has none. */
export type AppliedMigration = Readonly<{
  version: number
  name: string
  sha256: string
  phase?: MigrationPhase | null
}>

/** Why nothing is run. `code` is for programs, `next` the command or action that helps. */
export type MigrationProblem = Readonly<{
  code: `migration.${'edited' | 'missing' | 'out-of-order' | 'unknown' | 'newer' | 'duplicate' | 'transaction' | 'adoptable' | 'server' | 'ledger' | 'header'}`
  file: string
  message: string
  next: string
}>

/** What is to be run, in order; with a problem nothing is. */
export type MigrationPlan = Readonly<{ pending: readonly Migration[]; problems: readonly MigrationProblem[] }>

const FILE_NAME = /^(\d{3})_([a-z0-9]+(?:_[a-z0-9]+)*)\.sql$/

/** `12` → `012`, as in the file's name. */
export function showVersion(version: number): string {
  return String(version).padStart(3, '0')
}

/** Given the folder's files, returns the migrations in order and every problem of the set itself. */
export function parseMigrations(files: readonly MigrationFile[]): {
  migrations: readonly Migration[]
  problems: readonly MigrationProblem[]
} {
  const named = files.map((file) => ({ ...file, match: FILE_NAME.exec(file.file) }))
  const unknown = named.filter(({ match }) => match === null).map(({ file }) => unknownFile(file))
  const migrations = named
    .flatMap(({ file, text, match }) => (match === null ? [] : [migrationOf(file, text, match)]))
    .sort((one, other) => one.version - other.version)
  return { migrations, problems: [...unknown, ...migrations.flatMap(problemsOfOne), ...problemsOfOrder(migrations)] }
}

function migrationOf(file: string, text: string, [, number, name]: RegExpExecArray): Migration {
  const sql = text.replaceAll('\r\n', '\n')
  return {
    version: Number(number),
    name: name ?? '',
    file,
    sql,
    sha256: sha256(sql),
    header: parseMigrationHeader(sql),
  }
}

function unknownFile(file: string): MigrationProblem {
  const message = `${file} is not named like a migration (NNN_name.sql, small letters)`
  return { code: 'migration.unknown', file, message, next: `rename migrations/${file}, or move it elsewhere` }
}

function problemsOfOne({ file, sql, header }: Migration): readonly MigrationProblem[] {
  if (header.problem !== undefined) {
    const message = `${file} says ${JSON.stringify(header.problem)} in its first line, which nobody understands`
    const next = `write -- tappass: phase=expand|contract, concurrent, statement-timeout=10min in migrations/${file}`
    return [{ code: 'migration.header', file, message, next }]
  }
  if (header.isConcurrent && statementWords(sql).length !== 1) {
    const message = `${file} is concurrent and has ${statementWords(sql).length} statements; outside of a transaction only one is whole or not there`
    return [{ code: 'migration.header', file, message, next: `leave one statement in migrations/${file}` }]
  }
  const word = transactionWord(sql)
  if (word === undefined) return []
  const message = `${file} has ${word} of its own; each file already runs in one transaction`
  return [{ code: 'migration.transaction', file, message, next: `take ${word} out of migrations/${file}` }]
}

function problemsOfOrder(migrations: readonly Migration[]): readonly MigrationProblem[] {
  return migrations.flatMap(({ version, file }, index): readonly MigrationProblem[] => {
    const before = migrations[index - 1]
    if (version === before?.version) {
      const message = `${file} and ${before.file} have the same number`
      return [{ code: 'migration.duplicate', file, message, next: 'give the one that was never released a new number' }]
    }
    const expected = (before?.version ?? 0) + 1
    if (version === expected) return []
    const gap = `${showVersion(expected)}_….sql`
    const message = `${gap} is missing: the file after ${before?.file ?? 'the beginning'} is ${file}`
    return [
      { code: 'migration.missing', file: gap, message, next: 'install this release again, its files are not complete' },
    ]
  })
}

/** Plans what to run on a database whose schema history is `applied`. Pure: same files, same history, same plan. */
export function planMigrations(migrations: readonly Migration[], applied: readonly AppliedMigration[]): MigrationPlan {
  const files = new Map(migrations.map((migration) => [migration.version, migration]))
  const done = new Set(applied.map(({ version }) => version))
  const highestDone = Math.max(0, ...done)
  const newest = migrations.at(-1)?.version ?? 0
  const pending = migrations.filter(({ version }) => !done.has(version))
  // What waited for the acceptance of its release may be run after files of a later one.
  const late = pending
    .filter(({ version, header }) => version < highestDone && header.phase !== 'contract')
    .map(({ file }) => outOfOrder(file, highestDone))
  return {
    pending,
    problems: [...applied.flatMap((row) => problemOfRow(row, files.get(row.version), newest)), ...late],
  }
}

function problemOfRow(row: AppliedMigration, file: Migration | undefined, newest: number): readonly MigrationProblem[] {
  const name = `${showVersion(row.version)}_${row.name}.sql`
  // A gateway of the release before goes on beside what was only added.
  if (file === undefined && row.version > newest && row.phase === 'expand') return []
  if (file === undefined && row.version > newest) {
    const message = `the database has ${name}, which this release does not know (its newest is ${showVersion(newest)})`
    const next = 'run the release that made it, or restore a backup from before (docs/how-to/backup.md)'
    return [{ code: 'migration.newer', file: name, message, next }]
  }
  if (file === undefined) {
    const message = `${name} was run on this database and its file is gone`
    const next = `put migrations/${name} back as it was: install this release again`
    return [{ code: 'migration.missing', file: name, message, next }]
  }
  if (file.sha256 === row.sha256 && file.name === row.name) return []
  const changed = file.sha256 === row.sha256 ? `was called ${name} when it was run` : 'was changed after it was run'
  const message = `${file.file} ${changed} (then ${row.sha256.slice(0, 12)}, now ${file.sha256.slice(0, 12)})`
  const next = `put migrations/${name} back as it was, and make the change in a new file ${showVersion(newest + 1)}_….sql`
  return [{ code: 'migration.edited', file: file.file, message, next }]
}

function outOfOrder(file: string, highestDone: number): MigrationProblem {
  const message = `${file} was never run here, although ${showVersion(highestDone)} was`
  const next = `give the file a number after ${showVersion(highestDone)}`
  return { code: 'migration.out-of-order', file, message, next }
}

/** Returns those that are run before a release is in force. Those of the phase `contract` wait, unless there is no release before. */
export function beforeAcceptance(
  pending: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  return applied.length === 0 ? pending : pending.filter(({ header }) => header.phase !== 'contract')
}
