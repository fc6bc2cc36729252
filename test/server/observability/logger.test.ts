/** What stands in a line of the log, and what never does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHttpServer } from '../../../server/http/http-server.ts'
import { createLogger } from '../../../server/observability/logger.ts'

const KEY = ['tp', 'only-for-tests-0123456789'].join('_')

function logged(write: (log: ReturnType<typeof createLogger>) => void, level = 'info'): Record<string, unknown>[] {
  const lines: string[] = []
  write(createLogger(level, { write: (line) => void lines.push(line) }))
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('a line is a JSON object with level, time, process and message', () => {
  const before = Date.now()
  const [line = {}] = logged((log) => log.warn({ url: 'http://127.0.0.1:9620' }, 'serving'))
  assert.deepEqual(Object.keys(line), ['level', 'time', 'pid', 'hostname', 'url', 'msg'])
  assert.deepEqual([line['level'], line['pid'], line['msg']], [40, process.pid, 'serving'])
  assert.ok(Number(line['time']) >= before && Number(line['time']) <= Date.now())
})

test('what is below the level is not written', () => {
  assert.deepEqual(
    logged((log) => log.info('serving'), 'warn'),
    [],
  )
  assert.deepEqual(
    logged((log) => log.fatal('over'), 'silent'),
    [],
  )
})

test('an error is logged without the bytes that it was about', () => {
  const error = Object.assign(new Error('parse error'), { code: 'HPE_INVALID', data: 'the text of a call' })
  const [line = {}] = logged((log) => log.error({ err: error }, 'call failed'))
  const { type, message, code } = line['err'] as Record<string, unknown>
  assert.deepEqual([type, message, code], ['Error', 'parse error', 'HPE_INVALID'])
  assert.ok(!JSON.stringify(line).includes('the text of a call'))
})

for (const [where, value] of [
  ['at the top', { authorization: `Bearer ${KEY}`, 'x-api-key': KEY }],
  ['in headers', { headers: { authorization: `Bearer ${KEY}`, 'x-api-key': KEY } }],
  ['in the headers of a request', { request: { headers: { authorization: `Bearer ${KEY}`, 'x-api-key': KEY } } }],
] as const) {
  test(`a key ${where} is not logged`, () => {
    const [line] = logged((log) => log.warn(value, 'refused'))
    assert.ok(!JSON.stringify(line).includes(KEY))
    assert.equal(JSON.stringify(line).split('[redacted]').length, 3)
  })
}

test('the server logs a failure once, by it, with the id of the request', async () => {
  const lines: string[] = []
  const server = createHttpServer({
    isPlainText: () => true,
    bodyBytesMax: 1000,
    corsOrigins: [],
    newId: () => 'req_1',
    isDraining: () => false,
    replies: { watch: () => {} },
    log: createLogger('info', { write: (line) => void lines.push(line) }),
  })
  server.get('/fails', () => Promise.reject(Object.assign(new Error('lost'), { data: KEY })))
  const { statusCode } = await server.inject({ url: '/fails', headers: { authorization: `Bearer ${KEY}` } })
  await server.close()
  assert.equal(statusCode, 500)
  const [line = {}, ...more] = lines.map((text) => JSON.parse(text) as Record<string, unknown>)
  assert.deepEqual(more, [])
  assert.deepEqual([line['level'], line['msg'], line['request_id']], [50, 'gateway.internal', 'req_1'])
  assert.ok(!JSON.stringify(line).includes(KEY))
})
