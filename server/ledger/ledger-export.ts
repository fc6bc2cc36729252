/**
 * The ledger as a file, one JSON object a line: first what it is, then the entries in the order of chain and number, then the
 * checkpoints. It is verified without the database (verifyExport here; docs/programs/verify_ledger.py is a second program).
 */
import type { Head } from '../core/entry.ts'
import type { Database } from '../core/ports.ts'
import { legibleHeads } from './chain.ts'
import { readCheckpoints } from './checkpoint-table.ts'
import { readEntries } from './entry-page.ts'
import { type EntryRow, LedgerVerifier, type Violation } from './ledger-verifier.ts'
import { checkNotes, type Evidence, type Integrity, integrityOf } from './verification.ts'

/** The form of the export, in its first line. */
const FORM = 'tappass-ledger/1'

const COLUMNS = 'chain, seq::float8 AS seq, entry, hash'

/** Yields the lines of the export, each with its line end. */
export async function* exportLines(database: Database, nowMs: number): AsyncGenerator<string> {
  yield `${JSON.stringify({ form: FORM, made: new Date(nowMs).toISOString() })}\n`
  const rows = readEntries<Pick<EntryRow, 'chain' | 'seq' | 'entry' | 'hash'>>(database, COLUMNS)
  for await (const { chain, seq, entry, hash } of rows) yield `${JSON.stringify({ chain, seq, entry, hash })}\n`
  for (const note of await readCheckpoints(database)) yield `${JSON.stringify({ checkpoint: note })}\n`
}

type ExportLine = Readonly<{
  form?: unknown
  chain?: unknown
  seq?: unknown
  entry?: unknown
  hash?: unknown
  checkpoint?: unknown
}>

/** A file that is no export, or is damaged: the message names the line. */
export class ExportError extends Error {
  override readonly name = 'ExportError'
}

/**
 * Verifies an export. `lines` gives its lines anew each time that it is called: they are read twice, and never held. Throws
 * ExportError when it is none.
 */
export async function verifyExport(lines: () => AsyncIterable<string>, evidence: Evidence): Promise<Integrity> {
  const heads: Head[] = []
  const notes: string[] = [...evidence.notes]
  for await (const line of readLines(lines)) {
    if (typeof line.checkpoint === 'string') notes.push(line.checkpoint)
    if (typeof line.entry === 'string' && line.entry.includes('"event_kind":"chain"'))
      heads.push(...legibleHeads(line.entry))
  }
  const { checkpoints, violation: noteViolation } = checkNotes(notes, evidence.publicKeys)
  const verifier = new LedgerVerifier({ heads, checkpoints })
  const violation = noteViolation ?? (await entryViolation(lines, verifier)) ?? verifier.finish()
  return integrityOf(verifier, violation, evidence)
}

async function entryViolation(
  lines: () => AsyncIterable<string>,
  verifier: LedgerVerifier,
): Promise<Violation | undefined> {
  for await (const line of readLines(lines)) {
    const row = rowOf(line)
    const violation = row && verifier.read(row)
    if (violation) return violation
  }
  return undefined
}

/** The row of a line that is an entry; undefined for another line. */
function rowOf({ chain, seq, entry, hash }: ExportLine): EntryRow | undefined {
  if (typeof entry !== 'string') return undefined
  if (typeof chain !== 'string' || typeof seq !== 'number' || typeof hash !== 'string')
    throw new ExportError('an entry has no place, or no hash')
  const { prev_hash: previous } = parsed(entry)
  return { chain, seq, entry, hash, prev_hash: typeof previous === 'string' ? previous : null }
}

async function* readLines(lines: () => AsyncIterable<string>): AsyncGenerator<ExportLine> {
  let number = 0
  for await (const text of lines()) {
    number += 1
    const line = parsed(text) as ExportLine
    const isKnown = number === 1 ? line.form === FORM : 'entry' in line || 'checkpoint' in line
    if (!isKnown) throw new ExportError(`line ${number} is not one of an export of a ledger (${FORM})`)
    yield line
  }
  if (number === 0) throw new ExportError('the export is empty')
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
