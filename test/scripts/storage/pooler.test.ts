/** A pooler in transaction mode in front of a database: one process for two connections, as PgBouncer has it. Played by as much of the protocol as is asked for. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { after, before, test } from 'node:test'
import { connectLocal } from '../../../scripts/runners/local.ts'
import { checkDatabase } from '../../../scripts/storage/database-check.ts'

const [INT, TEXT, BOOL, TEXT_ARRAY] = [23, 25, 16, 1009]

const message = (type: string, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
const int16 = (value: number) => Buffer.from([(value >> 8) & 255, value & 255])
const int32 = (value: number) => Buffer.from(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value))
const text = (value: string) => Buffer.from(`${value}\0`)

/** The columns of an answer: name, type and value. */
type Column = readonly [name: string, type: number, value: string]

const described = (columns: readonly Column[]): Buffer =>
  message(
    'T',
    int16(columns.length),
    ...columns.map(([name, type]) =>
      Buffer.concat([text(name), int32(0), int16(0), int32(type), int16(-1), int32(-1), int16(0)]),
    ),
  )
const row = (columns: readonly Column[]): Buffer =>
  message(
    'D',
    int16(columns.length),
    ...columns.map(([, , value]) => Buffer.concat([int32(value.length), Buffer.from(value)])),
  )
const READY = message('Z', Buffer.from('I'))
const DONE = message('C', text('SELECT 1'))

const facts = (role: string): readonly Column[] => [
  ...([
    ['number', INT, '160002'],
    ['encoding', TEXT, 'UTF8'],
    ['role', TEXT, role],
  ] as const),
  ...([
    ['isSuperuser', BOOL, 'f'],
    ['isStandby', BOOL, 'f'],
    ['isCreator', BOOL, 't'],
  ] as const),
  ...([
    ['identity', TEXT, '1 x'],
    ['hasRole', BOOL, 't'],
    ['exposedTo', TEXT_ARRAY, '{}'],
  ] as const),
]

/** Answers every connection; `pid` gives the process that serves it. */
const startPooler = async (pid: () => number): Promise<Server> => {
  const server = createServer((socket) => {
    let waiting: Buffer = Buffer.alloc(0)
    let role = ''
    socket.on('error', () => undefined)
    socket.on('data', (piece: Buffer) => {
      waiting = Buffer.concat([waiting, piece])
      for (;;) {
        const start = role === '' ? 0 : 1
        if (waiting.length < start + 4) return
        const end = start + waiting.readInt32BE(start)
        if (waiting.length < end) return
        const type = role === '' ? 'startup' : String.fromCharCode(waiting[0] ?? 0)
        const body = waiting.subarray(start + 4, end)
        waiting = waiting.subarray(end)
        if (type === 'startup') {
          role = body.subarray(4).toString().split('\0')[1] ?? ''
          socket.write(Buffer.concat([message('R', int32(0)), READY]))
        }
        if (type === 'P') socket.write(message('1'))
        if (type === 'B') socket.write(message('2'))
        if (type === 'D') socket.write(described(facts(role)))
        if (type === 'E') socket.write(Buffer.concat([row(facts(role)), DONE]))
        if (type === 'S') socket.write(READY)
        const process: readonly Column[] = [['pid', INT, String(pid())]]
        if (type === 'Q') socket.write(Buffer.concat([described(process), row(process), DONE, READY]))
        if (type === 'X') socket.end()
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

let [shared, own] = [undefined as Server | undefined, undefined as Server | undefined]
let count = 0
before(async () => {
  shared = await startPooler(() => 7)
  own = await startPooler(() => {
    count += 1
    return count
  })
})
after(() => {
  shared?.close()
  own?.close()
})

const urlOf = (server: Server | undefined, user: string, query = ''): string => {
  const { port } = (server as Server).address() as { port: number }
  return `postgresql://${user}:${'p'.repeat(4)}@127.0.0.1:${port}/d${query}`
}
const OFF = '?prepare=off'

const rows: readonly Readonly<{
  name: string
  given: () => readonly [url: string, ownerUrl: string]
  what: readonly RegExp[]
}>[] = [
  { name: 'sessions for both', given: () => [urlOf(own, 'serving'), urlOf(own, 'owning')], what: [] },
  {
    name: 'transaction mode for both, and nobody says so',
    given: () => [urlOf(shared, 'serving'), urlOf(shared, 'owning')],
    what: [/migrations need a session/, /the address does not say so/],
  },
  {
    name: 'transaction mode for both, and the addresses say so',
    given: () => [urlOf(shared, 'serving', OFF), urlOf(shared, 'owning', OFF)],
    what: [/migrations need a session/],
  },
  {
    name: 'transaction mode for who serves, a session for migrations',
    given: () => [urlOf(shared, 'serving', OFF), urlOf(own, 'owning')],
    what: [],
  },
]
for (const { name, given, what } of rows)
  test(`a pooler: ${name}`, async () => {
    const [url, ownerUrl] = given()
    const floors = { atLeast: '15.0.0', because: 'the schema needs it' }
    const { refusals } = await checkDatabase(connectLocal(true).dial, { url, ownerUrl }, floors)
    assert.equal(refusals.length, what.length, JSON.stringify(refusals))
    for (const [index, expected] of what.entries()) assert.match(refusals[index]?.what ?? '', expected)
  })
