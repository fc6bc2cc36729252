/** Reads all entries of a database in the order of chain and number, in pages. */
import type { Head } from '../core/entry.ts'
import type { Database } from '../core/ports.ts'

/** Rows read at a time; between two pages other work can run. */
const PAGE_ROWS = 500

/** Yields every row, with these columns of `audit_events`; `chain` and `seq` have to be among them. */
export async function* readEntries<Row extends Pick<Head, 'chain' | 'seq'>>(
  database: Database,
  columns: string,
): AsyncGenerator<Row> {
  const page = (where: string): string =>
    `SELECT ${columns} FROM audit_events ${where} ORDER BY chain, seq LIMIT ${PAGE_ROWS}`
  let rows = await database.query<Row>(page(''))
  for (;;) {
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_ROWS) return
    rows = await database.query<Row>(page('WHERE (chain, seq) > ($1, $2::bigint)'), [last.chain, last.seq])
  }
}
