/** Counts the rows of each table in the SQL text that `pg_restore --data-only` prints. */

/** Takes the text in pieces of any size; `counts` are the rows by table (`public.agents`) of what was taken so far. */
export type RowCounter = Readonly<{ take: (piece: Uint8Array) => void; counts: () => ReadonlyMap<string, number> }>

const NEWLINE = 10
/** As much of a line's beginning as a line that is no row may have: names have 63 bytes at most, and a COPY lists all columns. */
const HEAD_BYTES = 300
/** Names are quoted as in SQL: `public."two words"`. */
const COPY = /^COPY ((?:"(?:[^"]|"")+"|[^\s."]+)\.(?:"(?:[^"]|"")+"|[^\s."]+)) (?:\(|FROM stdin)/
const END_OF_ROWS = '\\.'

/** Creates one. In a row a line break is written as `\n`, so each line between COPY and `\.` is one row. */
export function createRowCounter(): RowCounter {
  const counts = new Map<string, number>()
  let head = Buffer.alloc(0)
  let table: string | undefined
  let rows = 0

  function endLine(): void {
    if (table === undefined) {
      table = COPY.exec(head.toString())?.[1]
      rows = 0
    } else if (head.length === END_OF_ROWS.length && head.toString() === END_OF_ROWS) {
      counts.set(table, rows)
      table = undefined
    } else rows += 1
  }

  return {
    take: (piece) => {
      let start = 0
      for (let end = piece.indexOf(NEWLINE); end !== -1; end = piece.indexOf(NEWLINE, start)) {
        head = Buffer.concat([head, piece.subarray(start, Math.min(end, start + HEAD_BYTES))])
        endLine()
        head = Buffer.alloc(0)
        start = end + 1
      }
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, piece.subarray(start, start + HEAD_BYTES)])
    },
    counts: () => counts,
  }
}
