/**
 * Fills a database from the text of a dump. Everything in it is sent to the server as SQL, as the role of the address; psql is not used, which would run the
 * programs that a line of such a file names.
 */
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import pg from 'pg'
import { type PostgresAddress, parsePostgresAddress } from '../../contract/postgres-address.ts'
import type { Database } from '../core/ports.ts'
import { tlsOption, typeParser } from '../database/driver-option.ts'
import { copyRows } from '../database/row-export.ts'
import { type Connection, transactionOn } from '../database/transaction.ts'

const COPY = /^COPY .* FROM stdin;$/
const END_OF_ROWS = '\\.'
/** psql's own: a pair that pg_dump puts around everything. Any other line of psql's is refused. */
const RESTRICTION = /^\\(?:un)?restrict \w+$/
/** As pg_restore's --no-owner: everything belongs to the role that restores. */
const OWNER = /^ALTER [A-Z ]+ .* OWNER TO [^;']+;$/
/** Rows are sent in pieces of this size. */
const PIECE_CHARS = 65_536
/** pg_dump writes one statement after the other; what is sent at once is one transaction. */
const STATEMENTS_CHARS_MAX = 1024 * 1024
const CONNECT_MS_MAX = 15_000

/** The part of the driver's connection that copies rows; its types do not have it. */
type CopyConnection = Readonly<{
  query: (sql: string) => void
  sendCopyFromChunk: (piece: Buffer) => void
  endCopyFrom: () => void
  sendCopyFail: (reason: string) => void
}>

/** A COPY FROM STDIN as the driver takes it. */
class RowCopy {
  readonly ended: Promise<void>
  readonly #sql: string
  readonly #rows: () => Promise<string | undefined>
  #resolve: () => void = () => undefined
  #reject: (error: Error) => void = () => undefined
  #problem: Error | undefined

  constructor(sql: string, rows: () => Promise<string | undefined>) {
    this.#sql = sql
    this.#rows = rows
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  submit(connection: CopyConnection): void {
    connection.query(this.#sql)
  }

  handleCopyInResponse(connection: CopyConnection): void {
    void this.#send(connection)
  }

  async #send(connection: CopyConnection): Promise<void> {
    try {
      for (let piece = await this.#rows(); piece !== undefined; piece = await this.#rows())
        connection.sendCopyFromChunk(Buffer.from(piece))
      connection.endCopyFrom()
    } catch (error) {
      this.#problem = error as Error
      connection.sendCopyFail('the text of the dump breaks off')
    }
  }

  handleError(error: Error): void {
    this.#reject(this.#problem ?? error)
  }

  handleReadyForQuery(): void {
    this.#resolve()
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

/** Returns what gives the rows of a COPY in pieces, up to its end. */
function rowsOf(lines: AsyncIterator<string>): () => Promise<string | undefined> {
  let isOver = false
  return async () => {
    let piece = ''
    while (!isOver && piece.length < PIECE_CHARS) {
      const { value, done } = await lines.next()
      if (done === true) throw new Error('the dump breaks off within the rows of a table')
      if (value === END_OF_ROWS) isOver = true
      else piece += `${value}\n`
    }
    return piece === '' ? undefined : piece
  }
}

async function sendText(client: pg.Client, lines: AsyncIterator<string>): Promise<void> {
  let statements = ''
  const send = async () => {
    if (statements.trim() !== '') await client.query(statements)
    statements = ''
  }
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    const line = next.value
    if (RESTRICTION.test(line) || OWNER.test(line)) continue
    if (line.startsWith('\\')) throw new Error(`the dump has a line for psql, which is not run: ${line.slice(0, 60)}`)
    if (COPY.test(line)) {
      await send()
      const copy = new RowCopy(line, rowsOf(lines))
      client.query(copy as unknown as pg.Submittable)
      await copy.ended
    } else {
      statements += `${line}\n`
      if (statements.length > STATEMENTS_CHARS_MAX && line.endsWith(';')) await send()
    }
  }
  await send()
}

/** By line feeds alone: readline also ends a line at U+2028, which stands in a row as any other letter. */
async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const piece of input) {
    const lines = decoder.write(Buffer.from(piece)).split('\n')
    lines[0] = rest + lines[0]
    rest = lines.pop() ?? ''
    yield* lines
  }
  rest += decoder.end()
  if (rest !== '') yield rest
  return undefined
}

async function sendAll(client: pg.Client, input: AsyncIterable<Uint8Array>): Promise<void> {
  const lines = linesOf(input)
  try {
    await sendText(client, lines)
  } finally {
    await lines.return(undefined)
  }
}

/** Fills the database at the address (`postgresql://…`) from the file. Throws for the first thing that the server does not take, and for a text that breaks off. */
export async function fillFromText(address: string, path: string): Promise<void> {
  const { host, port, database, user } = parsePostgresAddress(address)
  const client = new pg.Client({ host, port, database, user, application_name: 'tappass-backup' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await sendAll(client, createReadStream(path))
  } finally {
    await client.end()
  }
}

/** A database somewhere else; `authority` has signed its certificate, where that is not one of the system's. */
export type FilledDatabase = Readonly<{ address: PostgresAddress; authority: string | undefined }>

/** `fill` takes the text of a dump, `rows` gives those of a `COPY … TO STDOUT`; `database` is in the same transaction. */
export type Filling = Readonly<{
  fill: (text: AsyncIterable<Uint8Array>) => Promise<void>
  rows: (sql: string) => Readable
  database: Database
}>

/** Connects, and does the work in one transaction: whatever ends it before its end leaves the database as it was. Throws what the server says. */
export async function inOneTransaction<Value>(
  { address, authority }: FilledDatabase,
  work: (filling: Filling) => Promise<Value>,
): Promise<Value> {
  const { host, port, database, user, password } = address
  const client = new pg.Client({
    ...{ host, port, database, user, password: password ?? '', ssl: tlsOption(address, authority) },
    ...{ application_name: 'tappass-move', connectionTimeoutMillis: CONNECT_MS_MAX, keepAlive: true },
    types: { getTypeParser: typeParser },
  })
  client.on('error', () => undefined)
  const connection: Connection = {
    run: (text, parameters = []) => client.query({ text, values: [...parameters], queryMode: 'extended' } as never),
    script: async (text) => {
      await client.query(text)
    },
  }
  const fill: Filling['fill'] = (text) => sendAll(client, text)
  await client.connect()
  try {
    return await transactionOn('local', connection, 0, (transaction) =>
      work({ fill, rows: (sql) => copyRows(client, sql), database: transaction }),
    )
  } finally {
    await client.end().catch(() => undefined)
  }
}
