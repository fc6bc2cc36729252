/** The output of `tappass migrate`: each result as an exit code, as JSON for programs and as lines for people. */

import { EXIT_CODE } from '../../contract/exit-code.ts'
import type { BaselineOutcome } from './baseline.ts'
import { type Migration, type MigrationProblem, showVersion } from './migration.ts'
import type { LockHolder } from './migration-lock.ts'
import type { MigrationOutcome, MigrationStatus } from './migrator.ts'
import type { SchemaHistoryRow } from './schema-history.ts'
import { formatDrift } from './schema-snapshot.ts'
import type { MigrationVerification } from './verification.ts'

/** `lines` go to stdout when they are the result, to stderr when `code` says that something is wrong. */
export type Report = Readonly<{ code: number; lines: readonly string[]; json: Readonly<Record<string, unknown>> }>

/** A problem as lines: message, and the next command. */
export function showProblem({ code, message, next }: MigrationProblem): readonly string[] {
  return [`${message} (${code})`, `  next: ${next}`]
}

function fileOf({ version, name }: Pick<SchemaHistoryRow, 'version' | 'name'>): string {
  return `${showVersion(version)}_${name}.sql`
}

const rowJson = (row: SchemaHistoryRow) => ({
  version: row.version,
  file: fileOf(row),
  sha256: row.sha256,
  appliedAt: row.appliedAt.toISOString(),
  durationMs: row.durationMs,
  origin: row.origin,
  phase: row.phase ?? null,
  toolVersion: row.toolVersion,
  who: row.who,
  host: row.host,
})

const statusJson = ({ applied, pending, problems }: MigrationStatus) => ({
  current: applied.at(-1)?.version ?? 0,
  applied: applied.map(rowJson),
  pending: pending.map(({ version, file, sha256, header }) => ({ version, file, sha256, phase: header.phase ?? null })),
  problems,
})

/** A table of all migrations and their states. */
export function reportStatus(status: MigrationStatus): Report {
  const { applied, pending, problems } = status
  const done = applied.map((row) => [
    fileOf(row),
    row.origin === 'up' ? 'applied' : 'adopted',
    `${row.appliedAt.toISOString().slice(0, 19)}Z  ${row.durationMs} ms  ${row.who}@${row.host}  ${row.toolVersion}`,
  ])
  const waiting = pending.map(({ file, header }) => [
    file,
    'pending',
    header.phase === 'contract' ? 'contract: runs when its release is accepted' : '',
  ])
  const table = [...done, ...waiting].map(([file = '', state = '', details = '']) =>
    `${file.padEnd(32)} ${state.padEnd(8)} ${details}`.trimEnd(),
  )
  const code =
    problems.length > 0 ? EXIT_CODE.refused : pending.length > 0 ? EXIT_CODE.changesPending : EXIT_CODE.upToDate
  return { code, lines: [...table, ...problems.flatMap(showProblem)], json: statusJson(status) }
}

/** The result of `up`; each applied file was reported when it was done. */
export function reportUp(outcome: MigrationOutcome): Report {
  switch (outcome.status) {
    case 'current': {
      const { length } = outcome.applied
      const held = outcome.held.map(({ file }) => file)
      const line = length === 0 ? 'nothing to do: the schema is current' : `${length} applied: the schema is current`
      const waiting = held.length === 0 ? [] : [`${held.join(' ')} waits until the release is accepted`]
      const json = { status: 'current', applied: files(outcome.applied), held }
      return { code: EXIT_CODE.upToDate, lines: [line, ...waiting], json }
    }
    case 'refused':
      return problemReport(outcome.problems)
    case 'locked':
      return lockedReport(outcome.holder)
    case 'failed': {
      const { file, line, reason } = outcome
      const place = line === undefined ? file : `${file}, line ${line}`
      const lines = [
        `${place}: ${reason}`,
        `  the whole file was rolled back; ${outcome.applied.length} before it were applied and stay`,
        '  next: fix what the message names, then tappass migrate up',
      ]
      return { code: EXIT_CODE.failed, lines, json: { ...outcome, applied: files(outcome.applied) } }
    }
  }
}

/** Valid, or every difference by name. */
export function reportVerify(verdict: MigrationVerification): Report {
  const { problems, drift, pending, applied } = verdict
  const json = { ...statusJson(verdict), drift }
  if (problems.length > 0) return { code: EXIT_CODE.refused, lines: problems.flatMap(showProblem), json }
  if (drift !== undefined && drift.length > 0) {
    const lines = [
      'the schema differs from its migrations (migration.drift)',
      ...drift.map((each) => `  ${formatDrift(each)}`),
    ]
    return {
      code: EXIT_CODE.failed,
      lines: [...lines, '  next: undo each by hand, or write a new migration that does it'],
      json,
    }
  }
  if (pending.length > 0 || drift === undefined) {
    return { code: EXIT_CODE.changesPending, lines: [`${pending.length} pending`, '  next: tappass migrate up'], json }
  }
  return {
    code: EXIT_CODE.upToDate,
    lines: [`verified: ${applied.length} migrations, files and schema are as they were`],
    json,
  }
}

/** The migration that the database was baselined at, or why not. */
export function reportBaseline(outcome: BaselineOutcome): Report {
  switch (outcome.status) {
    case 'adopted': {
      const lines = [`adopted at ${outcome.at.file}`, '  next: tappass migrate up']
      return { code: EXIT_CODE.upToDate, lines, json: { status: 'adopted', at: outcome.at.version } }
    }
    case 'refused':
      return problemReport(outcome.problems)
    case 'locked':
      return lockedReport(outcome.holder)
    case 'unlike': {
      const { nearest, drift } = outcome
      const lines = [
        `the schema matches no migration; nearest is ${nearest.file} (migration.unlike)`,
        ...drift.map((each) => `  ${formatDrift(each)}`),
        '  next: bring these in line by hand, then tappass migrate baseline',
      ]
      return { code: EXIT_CODE.refused, lines, json: { status: 'unlike', nearest: nearest.version, drift } }
    }
  }
}

/** The report of problems alone. */
export function problemReport(problems: readonly MigrationProblem[]): Report {
  return { code: EXIT_CODE.refused, lines: problems.flatMap(showProblem), json: { status: 'refused', problems } }
}

function lockedReport(holder: LockHolder | undefined): Report {
  const who =
    holder && `: ${holder.name || 'a connection'} (backend ${holder.backendPid}) since ${holder.since.toISOString()}`
  const lines = [`another run holds the lock${who ?? ' no longer'}`, '  next: wait for it, then tappass migrate status']
  return { code: EXIT_CODE.locked, lines, json: { status: 'locked', holder: holder ?? null } }
}

function files(migrations: readonly Migration[]): readonly string[] {
  return migrations.map(({ file }) => file)
}
