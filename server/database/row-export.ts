/** Rows of a table as PostgreSQL writes them for a dump: `COPY … TO STDOUT`, which the driver itself does not read. */
import { Readable } from 'node:stream'
import type pg from 'pg'

/** The part of the driver's connection that this needs; its types do not have it. */
type CopyConnection = Readonly<{
  query: (sql: string) => void
  stream: Readonly<{ pause: () => void; resume: () => void }>
}>

const BUFFER_BYTES = 256 * 1024

/** A COPY TO STDOUT as the driver takes it. Whoever reads slowly holds the server back; who leaves off lets the rest of the rows go by. */
class RowExport {
  readonly rows: Readable
  readonly #sql: string
  #connection: CopyConnection | undefined

  constructor(sql: string) {
    this.#sql = sql
    this.rows = new Readable({
      highWaterMark: BUFFER_BYTES,
      read: () => this.#connection?.stream.resume(),
      destroy: (error, done) => {
        this.#connection?.stream.resume()
        done(error)
      },
    })
  }

  submit(connection: CopyConnection): void {
    this.#connection = connection
    connection.query(this.#sql)
  }

  handleCopyData({ chunk }: Readonly<{ chunk: Buffer }>, { stream }: CopyConnection): void {
    // The parser writes over its buffer.
    if (!this.rows.destroyed && !this.rows.push(Buffer.from(chunk))) stream.pause()
  }

  handleError(error: Error): void {
    this.rows.destroy(error)
  }

  handleReadyForQuery({ stream }: CopyConnection): void {
    stream.resume()
    if (!this.rows.destroyed) this.rows.push(null)
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

/** Returns the rows of a COPY, each with its line feed. What the server says against it is the stream's error. */
export function copyRows(client: pg.Client, sql: string): Readable {
  const copy = new RowExport(sql)
  client.query(copy as unknown as pg.Submittable)
  return copy.rows
}
